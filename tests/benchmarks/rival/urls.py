"""No addresses: only commands run here."""

urlpatterns = []
