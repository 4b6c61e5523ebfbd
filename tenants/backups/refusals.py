"""Why an archive is not used: sentences an operator can act on."""

from django.utils.translation import gettext as _

from crm_platform.kernel.errors import DomainError


class ArchiveRefused(DomainError):
    """The archive cannot be trusted; nothing of it was used."""

    code, status = "archive_refused", 422


def foreign_file() -> ArchiveRefused:
    return ArchiveRefused(_("This file is no backup of ours. Choose a file made by crm backup."))


def unknown_key() -> ArchiveRefused:
    return ArchiveRefused(
        _(
            "This backup was locked with a key that is not configured here. Add that key to"
            " BACKUP_KEY_FALLBACKS and try again."
        )
    )


def damaged() -> ArchiveRefused:
    return ArchiveRefused(
        _("This backup is damaged: it is not what was written. Nothing was used. Choose another.")
    )


def cut_short() -> ArchiveRefused:
    return ArchiveRefused(
        _("This backup ends too early: a part of it is missing. Nothing was used. Choose another.")
    )


def of_another_company() -> ArchiveRefused:
    return ArchiveRefused(
        _("This file holds another company's data than the list says. Nothing was used.")
    )


def is_newer() -> ArchiveRefused:
    return ArchiveRefused(
        _("This backup was made by a newer release. Upgrade this installation first, then restore.")
    )


def differs(tables: list[str]) -> ArchiveRefused:
    return ArchiveRefused(
        _("What was restored differs from the backup in %(tables)s. Nothing was kept.")
        % {"tables": ", ".join(tables)}
    )


class StoreRefused(DomainError):
    """The store of archives does not do what it is asked; nothing was written or removed."""

    code, status = "store_refused", 503


def store_refuses_us(bucket: str) -> StoreRefused:
    return StoreRefused(
        _(
            "The bucket “%(bucket)s” refuses our credentials. Check AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY, and that this key may list, read, write and delete there."
        )
        % {"bucket": bucket}
    )


def no_bucket(bucket: str) -> StoreRefused:
    return StoreRefused(
        _("There is no bucket “%(bucket)s”. Make it, or name another one in RAPPORT_BACKUP_STORE.")
        % {"bucket": bucket}
    )


def no_credentials() -> StoreRefused:
    return StoreRefused(
        _("No credentials are set for the bucket. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    )


def store_is_away(address: str) -> StoreRefused:
    return StoreRefused(
        _(
            "The store of the backups at %(address)s does not answer. Check the endpoint in"
            " RAPPORT_BACKUP_STORE, and the network."
        )
        % {"address": address}
    )


def no_library() -> StoreRefused:
    return StoreRefused(
        _("Backups in a bucket need the library boto3. Install Rapport with its extra rapport[s3].")
    )
