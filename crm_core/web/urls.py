"""Addresses of the shell."""

from django.urls import URLPattern, path

from crm_core.registry import record_types
from crm_core.web.views import (
    addresses,
    billing,
    card,
    config,
    home,
    news,
    records,
    rehearsal,
    standing,
    updates,
)

app_name = "web"


def _record_pages() -> list[URLPattern]:
    return [
        path(
            f"{kind.slug}/<int:record_id>/",
            records.record_page,
            {"kind": kind.name},
            name=kind.name,
        )
        for kind in record_types()
    ]


urlpatterns = [
    path("", home.home, name="home"),
    path("welcome/", home.welcome, name="welcome"),
    path("samples/load/", home.load_samples, name="load_samples"),
    path("samples/remove/", home.remove_samples, name="remove_samples"),
    path("setup/dismiss/", home.dismiss_setup, name="dismiss_setup"),
    path("settings/rehearsal/", rehearsal.rehearsal, name="rehearsal"),
    path("settings/rehearsal/act/", rehearsal.act, name="rehearsal_act"),
    path("settings/rehearsal/promote/", rehearsal.promote, name="rehearsal_promote"),
    path("settings/rehearsal/undo/", rehearsal.undo, name="rehearsal_undo"),
    path("rehearsal/outbox/", rehearsal.outbox, name="rehearsal_outbox"),
    path("inbox/", home.inbox, name="inbox"),
    path("inbox/read/", home.inbox_read, name="inbox_read"),
    path("palette/", home.palette, name="palette"),
    path("search/", home.search_page, name="search"),
    path("reports/deals-by-stage/", home.deals_by_stage, name="deals_by_stage"),
    path("help/", home.help_page, name="help"),
    path("whats-new/", news.whats_new, name="whats_new"),
    path("settings/", config.settings_home, name="settings"),
    path("settings/company/", config.company_settings, name="company"),
    path("settings/company/close/", standing.close, name="close_company"),
    path("settings/address/", addresses.address, name="address"),
    path("settings/address/check/", addresses.check, name="address_check"),
    path("settings/address/rename/", addresses.rename, name="address_rename"),
    path("settings/address/claim/", addresses.claim, name="address_claim"),
    path("settings/address/prove/", addresses.prove, name="address_prove"),
    path("settings/address/release/", addresses.release, name="address_release"),
    path("settings/address/lead/", addresses.lead, name="address_lead"),
    path("settings/updates/", updates.updates, name="updates"),
    path("settings/updates/choose/", updates.choose, name="updates_choose"),
    path("settings/updates/now/", updates.hurry, name="updates_now"),
    path("settings/updates/feature/", updates.switch, name="updates_feature"),
    path("settings/updates/proof.csv", updates.proof_file, name="updates_proof"),
    path("settings/billing/", billing.billing, name="billing"),
    path("settings/billing/check/", billing.check, name="billing_check"),
    path("settings/billing/start/", billing.start, name="billing_start"),
    path("settings/billing/seats/", billing.change_seats, name="billing_seats"),
    path("settings/billing/price/", billing.change_price, name="billing_price"),
    path("settings/billing/accept/", billing.accept, name="billing_accept"),
    path("settings/billing/take-back/", billing.take_back, name="billing_take_back"),
    path("settings/billing/coupon/", billing.redeem, name="billing_coupon"),
    path("settings/billing/buyer/", billing.change_buyer, name="billing_buyer"),
    path("settings/billing/cancel/", billing.cancel, name="billing_cancel"),
    path("settings/billing/resume/", billing.resume, name="billing_resume"),
    path("settings/billing/card/", card.card, name="billing_card"),
    path("settings/billing/<int:invoice_id>/pay/", card.pay, name="billing_pay"),
    path("settings/billing/<int:invoice_id>.pdf", card.invoice, name="billing_invoice"),
    path("standing/", standing.standing, name="standing"),
    path("standing/ask/", standing.ask_operators, name="ask_operators"),
    path("standing/reopen/", standing.reopen, name="reopen"),
    path("settings/fields/", config.fields, name="fields"),
    path("settings/fields/new/", config.field_new, name="field_new"),
    path("settings/fields/<int:field_id>/", config.field_edit, name="field_edit"),
    path("settings/fields/<int:field_id>/archive/", config.field_archive, name="field_archive"),
    path("settings/tags/", config.tags, name="tags"),
    path("settings/tags/new/", config.tag_edit, name="tag_new"),
    path("settings/tags/<int:tag_id>/", config.tag_edit, name="tag_edit"),
    path("settings/tags/<int:tag_id>/remove/", config.tag_remove, name="tag_remove"),
    path("settings/history/", config.history, name="history"),
    *_record_pages(),
]
