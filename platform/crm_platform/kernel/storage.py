"""Files of a company: under its UUID, with a name nobody can guess, never served by path."""

import secrets
from os import PathLike
from pathlib import PurePosixPath

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage

from crm_platform.kernel import tenancy


class CompanyStorage(FileSystemStorage):
    """A file system where every name starts with the current company's UUID."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Give a new random name that keeps only the ending of `name`."""
        ending = PurePosixPath(name).suffix.lower()[:12]
        return f"{tenancy.current_company().id}/{secrets.token_urlsafe(24)}{ending}"

    def generate_filename(self, filename: str | PathLike[str]) -> str:
        """Keep the name as given; `get_available_name` replaces it."""
        return str(filename)

    def path(self, name: str) -> str:
        """The place on disk.

        Raises:
            SuspiciousFileOperation: `name` belongs to another company.
        """
        parts = PurePosixPath(name).parts
        if not parts or parts[0] != str(tenancy.current_company().id) or ".." in parts:
            raise SuspiciousFileOperation("This file belongs to another company.")
        return super().path(name)

    def url(self, name: str | None) -> str:
        """Files have no address of their own: a view checks the rights and sends them."""
        raise NotImplementedError("Company files are sent by views, not by address.")
