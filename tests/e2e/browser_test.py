"""What people do with the notebook image in a browser. Started by browser.sh."""

import argparse
import json
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

PATIENCE = 120_000  # milliseconds; for machines that do much else
CELLS = [
    "import numpy, pandas, scipy.stats\n"
    "frame = pandas.DataFrame({'x': numpy.arange(5), 'y': numpy.arange(5) ** 2})\n"
    "print('slope', round(scipy.stats.linregress(frame.x, frame.y).slope, 3))",
    "import matplotlib.pyplot as plt\nplt.plot(frame.x, frame.y)\nplt.title('squares');",
]


def notebook() -> dict:
    cells = [{"cell_type": "code", "id": f"cell{i}", "metadata": {}, "source": source,
              "outputs": [], "execution_count": None} for i, source in enumerate(CELLS)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"type": "notebook", "format": "json",
            "content": {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4,
                        "nbformat_minor": 5}}


class BrowserTest(unittest.TestCase):
    options: argparse.Namespace

    @classmethod
    def setUpClass(cls):
        cls.playwright = sync_playwright().start()
        cls.browser = cls.playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage"])

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.playwright.stop()

    def open(self, **context):
        page = self.browser.new_context(viewport={"width": 1200, "height": 900}, **context).new_page()
        page.set_default_timeout(PATIENCE)
        self.addCleanup(page.context.close)
        self.hosts = set()
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))
        return page

    def shoot(self, page, name: str):
        page.screenshot(path=f"{self.options.screenshots}/{name}.png")

    def api(self, path: str, body: dict | None = None, method: str = "GET") -> dict:
        request = urllib.request.Request(
            f"{self.options.jupyter}/api/{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.options.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def supervisor(self, *verb: str) -> str:
        return subprocess.run(["podman", "exec", self.options.container, "imgbuild-init", *verb],
                              check=True, capture_output=True, text=True).stdout

    def lab(self, path: str = ""):
        page = self.open()
        # Not what an earlier test left open.
        page.goto(f"{self.options.jupyter}/lab{path}?reset&token={self.options.token}")
        page.wait_for_selector("#jp-main-dock-panel")
        return page

    # JupyterLab.

    def test_lab_loads_with_the_token_and_a_terminal_works(self):
        page = self.lab()
        page.locator('.jp-LauncherCard[title="Start a new terminal session"]').first.click()
        page.locator(".jp-Terminal .xterm").first.click()
        page.keyboard.type("echo said-$((6*7)) > /work/terminal.txt\n")
        text = ""
        for _ in range(240):
            try:
                text = self.api("contents/terminal.txt")["content"]
                break
            except urllib.error.HTTPError:
                time.sleep(0.5)
        self.assertEqual(text, "said-42\n")
        # Nobody is asked whether they want news.
        self.assertEqual(page.get_by_text("Jupyter news").count(), 0)
        self.shoot(page, "terminal")

    def test_a_wrong_token_is_refused(self):
        page = self.open()
        page.goto(f"{self.options.jupyter}/lab?token=wrong{self.options.token}")
        expect(page.locator("#password_input")).to_be_visible(timeout=PATIENCE)
        self.assertIn("/login", page.url)
        self.assertEqual(page.locator("#jp-main-dock-panel").count(), 0)
        self.shoot(page, "wrong-token")

    def test_a_notebook_computes_and_plots(self):
        self.api("contents/squares.ipynb", notebook(), "PUT")
        page = self.lab("/tree/squares.ipynb")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        # Once the kernel says so, cells may run.
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
        page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
        expect(page.locator(".jp-OutputArea-output pre").first).to_have_text(
            "slope 4.0\n", timeout=PATIENCE)
        plot = page.locator(".jp-OutputArea-output img").first
        expect(plot).to_be_visible(timeout=PATIENCE)
        plot.scroll_into_view_if_needed()
        self.assertGreater(plot.evaluate("image => image.naturalWidth"), 100)
        # Not a picture of nothing: some of its pixels differ.
        self.assertGreater(plot.evaluate("""image => {
            const canvas = document.createElement('canvas');
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0);
            const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
            return new Set(new Uint32Array(pixels.buffer)).size;
        }"""), 20)
        self.shoot(page, "notebook")

    # The page.

    def home(self, **context):
        page = self.open(**context)
        page.goto(self.options.page)
        page.wait_for_selector("#packages tbody tr")
        return page

    def state(self, page, service: str):
        return page.locator("#services tbody tr", has_text=service).locator(".state")

    def test_the_page_shows_what_is_in_the_image(self):
        page = self.home()
        expect(page.locator("h1")).to_have_text("v5-notebook")
        expect(page.locator("header")).to_contain_text("Python 3.11")
        for name in ("numpy", "pandas", "jupyterlab", "python-fasthtml", "libc6"):
            expect(page.locator("#packages th", has_text=name).first).to_be_attached()
        link = page.get_by_role("link", name="Open JupyterLab")
        self.assertEqual(link.get_attribute("href"), f"{self.options.jupyter}/lab")
        # Everything comes from the image.
        self.assertEqual(self.hosts, {"127.0.0.1"})

    def test_searching_packages_needs_no_new_page(self):
        page = self.home()
        page.evaluate("window.same = true")
        page.get_by_label("Find a package").fill("NUM")
        expect(page.locator("#packages th[scope=row]", has_text="pandas")).to_have_count(
            0, timeout=PATIENCE)
        expect(page.locator("#packages tr", has_text="numpy")).to_contain_text("Python")
        self.assertTrue(page.evaluate("window.same"))

    def test_searching_works_without_scripts(self):
        page = self.open(java_script_enabled=False)
        page.goto(self.options.page)
        page.get_by_label("Find a package").fill("numpy")
        page.keyboard.press("Enter")
        expect(page.locator("#packages tbody tr")).to_have_count(1, timeout=PATIENCE)

    def test_services_are_live(self):
        page = self.home()
        expect(self.state(page, "jupyter")).to_have_text("running", timeout=PATIENCE)
        self.supervisor("stop", "jupyter")
        expect(self.state(page, "jupyter")).to_have_text("stopped by hand", timeout=PATIENCE)
        expect(page.locator("#services [role=status]")).to_have_text("Not running: jupyter.")
        self.shoot(page, "page-stopped")
        self.supervisor("start", "jupyter")
        expect(self.state(page, "jupyter")).to_have_text("running", timeout=PATIENCE)

    def test_a_killed_page_comes_back_and_says_so(self):
        page = self.home()
        lost = page.locator("#services .lost")
        expect(lost).to_be_hidden()
        # Stopped as by a fault, for as long as it takes to look.
        self.supervisor("stop", "web")
        self.until_stopped("web")
        expect(lost).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#services [role=status]")).to_be_hidden()
        self.shoot(page, "page-lost")
        self.supervisor("start", "web")
        expect(self.state(page, "web")).to_have_text("running", timeout=PATIENCE)
        expect(lost).to_be_hidden(timeout=PATIENCE)
        before = self.kill("web")
        # The same document goes on asking until it is answered again.
        restarts = page.locator("#services tbody tr", has_text="web").locator("td").last
        expect(restarts).to_have_text(str(before["restarts"] + 1), timeout=PATIENCE)
        expect(self.state(page, "web")).to_have_text("running", timeout=PATIENCE)
        self.assertNotEqual(self.service("web")["pid"], before["pid"])
        self.shoot(page, "page-restarted")

    def test_a_killed_service_turns_its_state_and_starts_again(self):
        page = self.home()
        expect(self.state(page, "jupyter")).to_have_text("running", timeout=PATIENCE)
        # Every state that the page shows from now on.
        page.evaluate("""() => {
            const row = () => [...document.querySelectorAll('#services tbody tr')].find(
                one => one.textContent.includes('jupyter')).querySelector('.state').textContent;
            window.states = [row()];
            new MutationObserver(() => window.states.push(row())).observe(
                document.querySelector('main'), {childList: true, subtree: true});
        }""")
        before = self.kill("jupyter")
        restarts = page.locator("#services tbody tr", has_text="jupyter").locator("td").last
        for _ in range(10):  # JupyterLab takes half a second to start, the page asks every two
            expect(restarts).to_have_text(str(before["restarts"] + 1), timeout=PATIENCE)
            expect(self.state(page, "jupyter")).to_have_text("running", timeout=PATIENCE)
            if set(page.evaluate("window.states")) & {"failed, starts again", "starting"}:
                break
            before = self.kill("jupyter")
        else:
            self.fail(f"the page never showed it down: {page.evaluate('window.states')}")
        self.assertNotEqual(self.service("jupyter")["pid"], before["pid"])

    def until_stopped(self, name: str):
        """It may answer what it was asked before it ends."""
        deadline = time.monotonic() + PATIENCE / 1000
        while (state := self.service(name)["state"]) != "stopped":
            self.assertEqual(state, "ending")
            self.assertLess(time.monotonic(), deadline)

    def kill(self, name: str) -> dict:
        """What the supervisor said of the service before."""
        before = self.service(name)
        subprocess.run(["podman", "exec", self.options.container, "python3", "-c",
                        f"import os; os.kill({before['pid']}, 9)"], check=True)
        return before

    def service(self, name: str) -> dict:
        services = json.loads(self.supervisor("status", "--json"))["services"]
        return next(service for service in services if service["name"] == name)

    def test_the_page_has_no_serious_fault_of_accessibility(self):
        for scheme in ("light", "dark"):
            for path in ("/", "/packages?q=num"):
                with self.subTest(scheme=scheme, path=path):
                    page = self.open(color_scheme=scheme, reduced_motion="reduce")
                    page.goto(self.options.page + path)
                    page.wait_for_selector("#packages tbody tr")
                    found = Axe().run(page).response
                    self.assertGreater(len(found["passes"]), 10)
                    self.assertEqual([(fault["id"], fault["help"]) for fault in found["violations"]
                                      if fault["impact"] in ("serious", "critical")], [])
                    if path == "/":
                        self.shoot(page, f"page-{scheme}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("jupyter", "page", "token", "container", "screenshots"):
        parser.add_argument(f"--{name}", required=True)
    BrowserTest.options = parser.parse_args()
    unittest.main(argv=sys.argv[:1], verbosity=2)
