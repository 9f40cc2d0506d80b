"""The page in Firefox, which Python drives by Marionette, its own protocol: no other driver is needed."""

import contextlib
import itertools
import json
import shutil
import socket
import subprocess
import time

import pytest

from tests.explore.conftest import missing

FOUND = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
PATIENCE = 240  # seconds, for a busy machine
pytestmark = pytest.mark.once
VERDICT = "JSON.stringify([...document.querySelectorAll('[data-class]')].map((row) => row.dataset.value))"
SETTLED = "document.querySelector('.network') && document.querySelector('[aria-label=Probabilities][aria-busy=false]')"
HIDE = """
  const stage = document.querySelector('.stage');
  stage.focus();
  stage.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
"""
STEP = "Number(document.querySelector('[data-count=step] dd').innerText.replace(',', ''))"
ERRORS = """
  const is_error = (one) => one instanceof Ci.nsIScriptError && !(one.flags & one.warningFlag);
  const of_page = (one) => is_error(one) && /^(file|blob):/.test(one.sourceName);
  return Services.console.getMessageArray().filter(of_page).map((one) => one.errorMessage);
"""


class Firefox:
    """A headless Firefox with one tab."""

    def __init__(self, profile, port):
        (profile / "user.js").write_text(f'user_pref("marionette.port", {port});\n')
        command = [FOUND, "--headless", "--no-remote", "--marionette", "--remote-allow-system-access"]
        command += ["--profile", str(profile)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.numbers = itertools.count()
        self.connection = self.connected(port)
        self.stream = self.connection.makefile("rb")
        self.read()  # who it is
        self.ask("WebDriver:NewSession")

    def connected(self, port):
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def read(self):
        """One message: its length in bytes, a colon, and JSON."""
        length = int(b"".join(iter(lambda: self.stream.read(1), b":")))
        return json.loads(self.stream.read(length))

    def ask(self, command, **parameters):
        message = json.dumps([0, next(self.numbers), command, parameters]).encode()
        self.connection.sendall(b"%d:%s" % (len(message), message))
        _, _, error, answer = self.read()
        assert not error, error
        return answer.get("value") if isinstance(answer, dict) else answer

    def run(self, script):
        """What a script returns, in the page."""
        return self.ask("WebDriver:ExecuteScript", script=script, args=[])

    def until(self, condition):
        """Wait for the first true value of an expression: that value."""
        end = time.monotonic() + PATIENCE
        while not (value := self.run(f"return {condition}")):
            assert time.monotonic() < end, condition
            time.sleep(0.2)
        return value

    def errors(self):
        """What the console says is wrong with the page."""
        self.ask("Marionette:SetContext", value="chrome")
        found = self.run(ERRORS)
        self.ask("Marionette:SetContext", value="content")
        return found

    def close(self):
        with contextlib.suppress(OSError, ValueError, AssertionError):
            self.ask("Marionette:Quit", flags=["eForceQuit"])
        self.connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.process.kill()
        self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def firefox(tmp_path):
    if not FOUND:
        missing("Firefox: apt-get install firefox-esr")
    (tmp_path / "profile").mkdir()
    started = Firefox(tmp_path / "profile", free_port())
    yield started
    started.close()


def test_it_runs_a_changed_pixel_changes_the_verdict_and_digits_are_learned(firefox, small):
    firefox.ask("WebDriver:Navigate", url=small[0].resolve().as_uri())
    before = firefox.until(f"{SETTLED} && {VERDICT}")
    assert "Runs live in your browser." in firefox.run("return document.querySelector('.status').innerText")
    firefox.run(HIDE)
    firefox.until(f"{SETTLED} && {VERDICT} !== {json.dumps(before)}")
    firefox.run("document.getElementById('tab-Training').click()")
    firefox.until("document.querySelector('.seen')")
    firefox.run("document.querySelector('.knobs .start').click()")
    firefox.until(f"{STEP} > 20")
    assert not firefox.errors()
