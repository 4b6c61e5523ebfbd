"""Addresses of selling."""

from django.urls import path

from crm_core.sales.views import boards, pipelines

app_name = "sales"
urlpatterns = [
    path("deals/board/", boards.board, name="board"),
    path("deals/board/<int:stage_id>/more/", boards.more_cards, name="more_cards"),
    path("deals/<int:deal_id>/move/", boards.move, name="move"),
    path("deals/<int:deal_id>/lost/", boards.lost, name="lost"),
    path("settings/pipelines/", pipelines.pipelines, name="pipelines"),
    path("settings/pipelines/new/", pipelines.pipeline_new, name="pipeline_new"),
    path("settings/pipelines/<int:pipeline_id>/", pipelines.pipeline_edit, name="pipeline_edit"),
    path(
        "settings/pipelines/<int:pipeline_id>/archive/",
        pipelines.pipeline_archive,
        name="pipeline_archive",
    ),
    path("settings/pipelines/<int:pipeline_id>/stages/new/", pipelines.stage_new, name="stage_new"),
    path("settings/pipelines/<int:pipeline_id>/order/", pipelines.stage_order, name="stage_order"),
    path("settings/stages/<int:stage_id>/", pipelines.stage_edit, name="stage_edit"),
    path("settings/stages/<int:stage_id>/remove/", pipelines.stage_remove, name="stage_remove"),
    path("settings/reasons/new/", pipelines.reason_new, name="reason_new"),
    path(
        "settings/reasons/<int:reason_id>/archive/", pipelines.reason_archive, name="reason_archive"
    ),
]
