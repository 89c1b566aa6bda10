"""kazoo_suite.py [--zookeeper] [--short] [MODULE…]: kazoo's own tests, unmodified, on ensembles of
three servers that its harness starts: of Pando, by a stand-in for `java`, or of the real ZooKeeper.

Whatever kazoo/baseline.txt lists must pass, but for what kazoo/skips.txt excuses by name. Each
MODULE is one of kazoo.tests, such as test_lock; default: all. --short runs those that fit into CI.
--write-baseline makes the list from this run.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import servers

KAZOO = servers.HERE / "kazoo"
VENV = servers.BUILD / "kazoo"
BASELINE = KAZOO / "baseline.txt"
SKIPS = KAZOO / "skips.txt"
VERSION = "3.9.5"

# What touches the server most, by module, and takes about a minute.
SHORT = ("test_client", "test_lock", "test_queue")
# Java's keystores take every new server a second and a half; kazoo_tls.py needs none.
NOT_SHORT = {"test_client.TestSSLClient.test_create": "it takes Java's keystores"}


def listed(path):
    """The lines of a list, but for comments: {first word: rest}."""
    lines = (line.split("#")[0].split(None, 1) for line in path.read_text().splitlines())
    return {words[0]: words[1].strip() if len(words) > 1 else "" for words in lines if words}


def environment(zookeeper, short):
    port = servers.harness.free_base_port(40)
    path = [str(VENV.absolute() / "bin"), os.environ["PATH"]]
    if not zookeeper:
        path.insert(0, str(KAZOO))
    home = servers.zookeeper_jars() if zookeeper else KAZOO
    return {**servers.harness.clean_environment(), "PATH": os.pathsep.join(path),
            "PANDO_BIN": str(servers.harness.BIN), "ZOOKEEPER_PATH": str(home),
            "ZOOKEEPER_VERSION": VERSION, "ZOOKEEPER_PORT_OFFSET": str(port),
            "COMPAT_KEYSTORES": "" if short else "1"}


def name_of(case):
    """module.Class.test of a test case of the report."""
    words = case.get("classname").split(".")
    start = next(i for i, word in enumerate(words) if word.startswith("test_"))
    return ".".join([*words[start:], case.get("name")])


def results(report):
    """{name: passed, failed or skipped}."""
    outcomes = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = ("failed" if kinds & {"failure", "error"} else
                   "skipped" if "skipped" in kinds else "passed")
        # A test whose teardown fails too is listed twice.
        if outcomes.get(name_of(case)) != "failed":
            outcomes[name_of(case)] = outcome
    return outcomes


def run(modules, options, skips, folder):
    tests = next((VENV / "lib").glob("python3*/site-packages/kazoo/tests"))
    paths = [str(tests / f"{module}.py") for module in modules] or [str(tests)]
    deselect = [f"--deselect={as_node(name)}" for name in skips]  # as from the rootdir
    report = folder / "report.xml"
    # What CI sets makes kazoo test the settings of its own CI.
    env = environment(options.zookeeper, options.short)
    env.pop("CI", None)
    env["PYTHONPATH"] = str(KAZOO)
    subprocess.run([str(VENV.absolute() / "bin" / "python"), "-m", "pytest", "-q",
                    "-p", "no_pause", "-p", "no:cacheprovider", "--rootdir", str(tests.absolute()),
                    "--timeout=180", "--tb=short", "--show-capture=no", f"--junit-xml={report}",
                    *deselect, *map(os.path.abspath, paths)], env=env, cwd=folder, check=False)
    return results(report)


def as_node(name):
    """module.Class.test as pytest writes it."""
    module, *rest = name.split(".")
    return "::".join([f"{module}.py", *rest])


def check(outcomes, modules, skips):
    """What is wrong with the outcomes, a line each."""
    wrong = [f"{name}: failed" for name, outcome in outcomes.items()
             if outcome == "failed" and name not in skips]
    for name in listed(BASELINE):
        wanted = not modules or name.split(".")[0] in modules
        if wanted and name not in skips and outcomes.get(name, "not run") not in (
                "passed", "failed"):
            wrong.append(f"{name}: {outcomes.get(name, 'not run')}, but ZooKeeper {VERSION} passes")
    wrong += [f"{SKIPS.name}: {name} has no reason" for name, reason in skips.items() if not reason]
    wrong += [f"{SKIPS.name}: {name} is not in {BASELINE.name}"
              for name in skips if name not in listed(BASELINE)]
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--zookeeper", action="store_true")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--write-baseline", action="store_true")
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    modules = options.modules or (SHORT if options.short else ())
    subprocess.run([str(KAZOO / "install")], check=True)
    skips = {} if options.zookeeper else listed(SKIPS)
    skips |= NOT_SHORT if options.short else {}
    with tempfile.TemporaryDirectory(prefix="pando-kazoo-") as folder:
        outcomes = run(modules, options, skips, pathlib.Path(folder))
    passed = sorted(name for name, outcome in outcomes.items() if outcome == "passed")
    if options.write_baseline:
        BASELINE.write_text(f"# What passes on ZooKeeper {VERSION}. kazoo_suite.py writes it.\n" +
                            "".join(f"{name}\n" for name in passed))
        return
    wrong = check(outcomes, modules, skips)
    print("\n".join(wrong))
    failed = sum(outcome == "failed" for outcome in outcomes.values())
    print(f"kazoo: {len(passed)} passed, {failed} failed, "
          f"{len(outcomes) - len(passed) - failed} skipped")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
