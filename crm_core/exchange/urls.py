"""Addresses of imports and exports."""

from django.urls import path

from crm_core.exchange.views import exports, imports, reports

app_name = "exchange"
urlpatterns = [
    path("import/", imports.jobs, name="jobs"),
    path("import/jobs/<int:job_id>/", imports.job_page, name="job"),
    path("import/jobs/<int:job_id>/read/", imports.read_again, name="read"),
    path("import/jobs/<int:job_id>/columns/", imports.columns, name="columns"),
    path("import/jobs/<int:job_id>/run/", imports.start_job, name="run"),
    path("import/jobs/<int:job_id>/discard/", imports.discard, name="discard"),
    path("import/jobs/<int:job_id>/cancel/", reports.cancel, name="cancel"),
    path("import/jobs/<int:job_id>/progress/", reports.progress, name="progress"),
    path("import/jobs/<int:job_id>/undo/", reports.undo, name="undo"),
    path("import/jobs/<int:job_id>/failed.csv", reports.failed_rows, name="failed"),
    path("import/<slug:kind>/", imports.start, name="start"),
    path("import/<slug:kind>/example.csv", exports.example, name="example"),
    path("export/<slug:kind>/", exports.export, name="export"),
]
