"""The hosting platform: the Django project and the control plane of Rapport."""
