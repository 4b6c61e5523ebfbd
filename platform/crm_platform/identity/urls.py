"""Addresses of identity; included at the root of a company's host and of the operators'."""

from django.urls import path

from crm_platform.identity.views import entry, me, people, roles, second_factor, support, teams

app_name = "identity"
entry_patterns = [
    path("sign-in/", entry.sign_in, name="sign_in"),
    path("sign-out/", entry.sign_out, name="sign_out"),
    path("forgot/", entry.forgot, name="forgot"),
    path("reset/<str:token>/", entry.reset, name="reset"),
    path("invite/<str:token>/", entry.accept, name="accept"),
]
second_factor_patterns = [
    path("second-factor/", second_factor.second_factor, name="second_factor"),
]
me_patterns = [
    path("me/", me.profile, name="me"),
    path("me/prefs/", me.prefs, name="prefs"),
    path("me/security/", me.security, name="security"),
    path("me/security/password/", me.change_password, name="change_password"),
    path("me/security/mail/", me.change_mail, name="change_mail"),
    path("me/security/mail/<str:token>/", me.confirm_mail, name="confirm_mail"),
    path("me/security/sessions/<int:session_id>/end/", me.end_session, name="end_session"),
    path("me/security/sessions/end/", me.end_other_sessions, name="end_other_sessions"),
]
urlpatterns = [
    *entry_patterns,
    *me_patterns,
    path("enter/<str:token>/", entry.enter, name="enter"),
    path("me/tokens/", me.own_tokens, name="tokens"),
    path("me/tokens/<int:token_id>/revoke/", me.revoke_token, name="revoke_token"),
    path("settings/people/", people.people, name="people"),
    path("settings/people/invite/", people.invite, name="invite"),
    path("settings/people/<int:pk>/", people.place, name="place"),
    path("settings/people/<int:pk>/deactivate/", people.deactivate, name="deactivate"),
    path("settings/people/<int:pk>/reactivate/", people.reactivate, name="reactivate"),
    path("settings/invitations/<int:invitation_id>/resend/", people.resend, name="resend"),
    path("settings/invitations/<int:invitation_id>/revoke/", people.revoke, name="revoke"),
    path("settings/support/", support.support, name="support"),
    path("settings/support/<int:pk>/grant/", support.grant, name="support_grant"),
    path("settings/support/<int:pk>/refuse/", support.refuse, name="support_refuse"),
    path("settings/support/<int:pk>/end/", support.end, name="support_end"),
    path("support/<str:token>/", support.enter, name="support_enter"),
    path("settings/teams/", teams.teams, name="teams"),
    path("settings/teams/new/", teams.create, name="team_new"),
    path("settings/teams/<int:pk>/", teams.alter, name="team"),
    path("settings/teams/<int:pk>/remove/", teams.remove, name="team_remove"),
    path("settings/roles/", roles.roles, name="roles"),
    path("settings/roles/new/", roles.copy, name="role_new"),
    path("settings/roles/<int:pk>/", roles.edit, name="role"),
    path("settings/roles/<int:pk>/remove/", roles.remove, name="role_remove"),
]
