"""Whom the embedded PostgreSQL runs as. PostgreSQL refuses to run as root, so root has to hand it to somebody else."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from isthmus.errors import StorageFailed

SERVER_ACCOUNT = "pgserver"
"""The OS user root runs the server as; made on first use."""


@dataclass(frozen=True)
class Account:
    """An OS user. `switched`: somebody else than ourselves, so programs must change to it."""

    uid: int
    gid: int
    switched: bool

    def own(self, path: Path) -> None:
        """Give `path` to this user."""
        if self.switched:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def open_way(self, path: Path) -> None:
        """Let this user pass through the folders above `path`: search permission only, and only where it is missing."""
        if not self.switched:
            return
        for folder in path.parents:
            seen = folder.stat()
            needed = (
                stat.S_IXUSR if seen.st_uid == self.uid else stat.S_IXGRP if seen.st_gid == self.gid else stat.S_IXOTH
            )
            if not seen.st_mode & needed:
                folder.chmod(stat.S_IMODE(seen.st_mode) | needed)


def choose_account(home: Path, data: Path) -> Account:
    """The user the server of `home` runs as: ourselves; as root the owner of what is there, else `pgserver`.

    Raises:
        StorageFailed: The home belongs to another user and we are not root.
    """
    if os.geteuid() != 0:
        for path in (home, data):
            if path.exists() and path.stat().st_uid != os.geteuid():
                raise StorageFailed(
                    f"{path} belongs to the user {_name(path.stat().st_uid)}, but this is {_name(os.geteuid())}.",
                    hint="Run as that user, choose another home, or give the folder to this user (chown -R).",
                )
        return Account(os.geteuid(), os.getegid(), switched=False)
    for path in (data, home):
        if path.exists() and path.stat().st_uid != 0 and _known(path.stat().st_uid):
            return Account(path.stat().st_uid, pwd.getpwuid(path.stat().st_uid).pw_gid, switched=True)
    entry = _server_account()
    return Account(entry.pw_uid, entry.pw_gid, switched=True)


def open_programs(account: Account, folder: Path) -> None:
    """Let `account` run the programs in `folder` (.../bin): a package installed by root may be closed to others."""
    if not account.switched:
        return
    account.open_way(folder)
    if _open(folder / "postgres") and _open(folder.parent / "share") and _open(folder.parent / "lib"):
        return
    for path in (folder.parent, *folder.parent.rglob("*")):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            runs = path.is_dir() or mode & stat.S_IXUSR
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if runs else 0))


def _open(path: Path) -> bool:
    wanted = stat.S_IROTH | stat.S_IXOTH
    return path.stat().st_mode & wanted == wanted


def _server_account() -> pwd.struct_passwd:
    """The account, made if missing. Two starters may race: the loser finds what the winner made."""
    try:
        return pwd.getpwnam(SERVER_ACCOUNT)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_ACCOUNT]
    try:
        subprocess.run(command, check=False, capture_output=True, timeout=30)  # noqa: S603 - constants only
        return pwd.getpwnam(SERVER_ACCOUNT)
    except (OSError, KeyError) as failure:
        raise StorageFailed(
            f"PostgreSQL does not run as root, and the OS user {SERVER_ACCOUNT} could not be made.",
            hint=f"Run Isthmus as an ordinary user, or make a user named {SERVER_ACCOUNT}, or set DATABASE_URL.",
        ) from failure


def _known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
