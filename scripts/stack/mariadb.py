"""MariaDB from the system's packages, with a data folder, a socket and accounts of its own.

It runs as whoever runs the command. The administrator has no password and can be reached by the unix socket only,
by the same system user; the application's user has a random password, made once and kept in a 0600 file.
"""

import os
import pwd
import secrets
import shutil
import subprocess
from pathlib import Path

import pymysql

from scripts.stack import tools
from scripts.stack.errors import StackError
from scripts.stack.files import render, tail, write_private
from scripts.stack.server import Server
from scripts.stack.settings import HOST

DATABASE = "vigia"
USER = "vigia"


class MariaDB(Server):
    """The SQL server. Its user may create and drop databases whose name starts with ``vigia``."""

    name = "mariadb"
    stop_seconds = 30.0

    @property
    def ports(self) -> dict[str, int]:
        """Clients' port."""
        return {"mariadb_port": self.settings.mariadb_port}

    def require_tools(self) -> None:
        """The server and the program that makes its system tables."""
        tools.find("mariadbd")
        tools.find("mariadb-install-db")

    def prepare(self) -> None:
        """Configuration, the statements run at start, and a data folder with its system tables."""
        init_file = self.home / "conf" / "init.sql"
        write_private(init_file, render("mariadb.init.sql", password=self.password()))
        settings = {
            "data": self.data,
            "port": self.settings.mariadb_port,
            "user": pwd.getpwuid(os.getuid()).pw_name,
            "init_file": init_file,
            "memory": self.settings.mariadb_memory,
        }
        write_private(self._config, render("my.cnf", **settings))
        if not self.data.exists():
            self._install(settings["user"])

    def command(self) -> list[str]:
        """The server with this configuration and no other file."""
        return [tools.find("mariadbd"), f"--defaults-file={self._config}"]

    def probe(self) -> None:
        """Select 1 as the application's user, over TCP."""
        connection = pymysql.connect(
            host=HOST,
            port=self.port,
            user=USER,
            password=self.password(),
            database=DATABASE,
            connect_timeout=5,
            read_timeout=5,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def password(self) -> str:
        """The application user's password; made on first use."""
        path = self.home / "password"
        if not path.exists():
            write_private(path, secrets.token_hex(24) + "\n")
        return path.read_text(encoding="ascii").strip()

    @property
    def _config(self) -> Path:
        return self.home / "conf" / "my.cnf"

    def _install(self, user: object) -> None:
        # Into another folder, renamed when it is complete: an interrupted installation is not taken for data.
        partial = self.data.with_name("data.partial")
        shutil.rmtree(partial, ignore_errors=True)
        # It is a shell script that breaks paths at their spaces: paths from the server's home have none.
        command = [tools.find("mariadb-install-db"), "--defaults-file=conf/my.cnf", f"--datadir=./{partial.name}"]
        command += ["--auth-root-authentication-method=socket", f"--auth-root-socket-user={user}", "--skip-test-db"]
        with self.log.open("ab") as output:
            run = subprocess.run(
                command, cwd=self.home, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, timeout=120
            )
        if run.returncode != 0:
            lines = tail(self.log, 20)
            raise StackError(f"mariadb: making {self.data} failed (exit {run.returncode}), see {self.log}:\n{lines}")
        partial.rename(self.data)
