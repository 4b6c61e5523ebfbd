from django.http import HttpResponse
from django.urls import path

app_name = "exchange"
urlpatterns = [
    path("import/", lambda r: HttpResponse(""), name="jobs"),
    path("import/<slug:kind>/", lambda r, kind: HttpResponse(""), name="start"),
    path("export/<slug:kind>/", lambda r, kind: HttpResponse(""), name="export"),
]
