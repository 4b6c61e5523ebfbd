"""Addresses of the operators' console."""

from django.urls import path

from crm_platform.console.views import (
    approvals,
    audit,
    billing,
    companies,
    demo_mail,
    dry_runs,
    figures,
    funnel,
    operators,
    outbox,
    plans,
    queues,
    releases,
    support,
)  # fmt: skip

app_name = "console"
company_patterns = [
    path("", companies.companies, name="companies"),
    path("companies/<uuid:company_id>/", companies.company, name="company"),
    path("companies/<uuid:company_id>/retry/", companies.retry, name="retry"),
    path("companies/<uuid:company_id>/suspend/", companies.suspend, name="suspend"),
    path("companies/<uuid:company_id>/resume/", companies.resume, name="resume"),
    path("companies/<uuid:company_id>/upgrades/", companies.plan, name="upgrade_plan"),
    path("companies/<uuid:company_id>/limits/", companies.limit, name="limit"),
    path("companies/<uuid:company_id>/notes/", companies.note, name="note"),
    path("companies/<uuid:company_id>/survey/", companies.survey, name="survey"),
]
operator_patterns = [
    path("operators/", operators.operators, name="operators"),
    path("operators/invite/", operators.invite, name="operator_invite"),
    path("operators/<int:pk>/", operators.place, name="operator"),
    path("operators/<int:pk>/second-factor/", operators.reset, name="operator_reset"),
    path("operators/<int:pk>/deactivate/", operators.deactivate, name="operator_deactivate"),
    path("operators/<int:pk>/reactivate/", operators.reactivate, name="operator_reactivate"),
    path("invitations/<int:invitation_id>/resend/", operators.resend, name="invitation_resend"),
    path("invitations/<int:invitation_id>/revoke/", operators.revoke, name="invitation_revoke"),
]
release_patterns = [
    path("releases/", releases.releases, name="releases"),
    path("releases/<str:version>/", releases.release, name="release"),
    path("releases/<str:version>/plan/", releases.plan, name="release_plan"),
    path("releases/<str:version>/check/", dry_runs.check, name="release_check"),
    path("releases/<str:version>/start/", releases.start, name="release_start"),
    path("releases/<str:version>/stop/", releases.stop, name="release_stop"),
    path("releases/runs/<int:run_id>/retry/", releases.retry, name="release_retry"),
    path("releases/runs/<int:run_id>/hold/", releases.hold, name="release_hold"),
    path("releases/runs/<int:run_id>/back/", releases.back, name="release_back"),
]
billing_patterns = [
    path("billing/", billing.board, name="billing"),
    path("billing/figures/", figures.figures, name="figures"),
    path("billing/figures.csv", figures.download, name="figures_download"),
    path("billing/plans/", plans.plans, name="plans"),
    path("billing/plans/new/", plans.add, name="plan_add"),
    path("billing/plans/<int:plan_id>/", plans.plan, name="plan"),
    path("billing/plans/<int:plan_id>/draft/", plans.draft, name="plan_draft"),
    path("billing/versions/<int:version_id>/", plans.change, name="plan_change"),
    path("billing/versions/<int:version_id>/publish/", plans.publish, name="plan_publish"),
    path("billing/payments/<int:payment_id>/undo/", billing.undo, name="payment_undo"),
    path("billing/invoices/<int:invoice_id>/credit/", billing.credit, name="invoice_credit"),
    path("companies/<uuid:company_id>/billing/", billing.account, name="account"),
    path("companies/<uuid:company_id>/billing/transfer/", billing.transfer, name="transfer"),
]
urlpatterns = [
    *company_patterns,
    *release_patterns,
    *billing_patterns,
    *operator_patterns,
    path("queues/", queues.queues, name="queues"),
    path("queues/<int:pk>/retry/", queues.retry, name="failure_retry"),
    path("queues/<int:pk>/dismiss/", queues.dismiss, name="failure_dismiss"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<int:pk>/retry/", outbox.retry, name="outbox_retry"),
    path("outbox/companies/<uuid:company_id>/retry/", outbox.retry_company, name="outbox_company"),
    path("companies/<uuid:company_id>/support/", support.ask, name="support_ask"),
    path("support/", support.support, name="support"),
    path("support/<uuid:key>/enter/", support.enter, name="support_enter"),
    path("support/<uuid:key>/end/", support.end, name="support_end"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/ask/", approvals.ask, name="approval_ask"),
    path("approvals/<int:pk>/agree/", approvals.agree, name="approval_agree"),
    path("approvals/<int:pk>/refuse/", approvals.refuse, name="approval_refuse"),
    path("sign-ups/", funnel.funnel, name="funnel"),
    path("audit/", audit.audit, name="audit"),
    path("audit/export/", audit.export, name="audit_export"),
    path("mail/", demo_mail.mails, name="mails"),
    path("mail/<int:pk>/", demo_mail.mail, name="mail"),
]
