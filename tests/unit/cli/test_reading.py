"""Commands that only read, as the shell sees them."""

import os
import subprocess
import sys

import pytest

from tests.support.processes import without_settings


@pytest.mark.usefixtures("summaries")
def test_a_reader_that_has_read_enough_ends_a_command_without_a_word(url):
    gone, pipe = os.pipe()
    os.close(gone)
    done = subprocess.run(
        [sys.executable, "-m", "vigia", "ai-agents", "--json"],
        env=without_settings() | {"VIGIA_SUMMARIES_URL": url},
        stdout=pipe,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(pipe)
    assert (done.returncode, done.stderr) == (0, "")
