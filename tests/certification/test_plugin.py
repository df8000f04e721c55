from __future__ import annotations

import sys

import pytest

from tests.conftest import Repository, deviation

EVERYTHING = [
    "host::HOST-01",
    "endpoint::HOST-01",
    "acme::BIND-01",
    "acme::SWAP-01[close-then-start]",
    "acme::SWAP-01[start-then-close]",
    "acme::UNBIND-05",
    "acme::SEC-09",
]


def collected(result: pytest.RunResult) -> list[str]:
    """The ids that ``--collect-only -q`` printed."""
    return [line for line in result.outlines if "::" in line]


def test_an_item_for_each_subject_check_and_variant(repository: Repository) -> None:
    """The suite is collected with ids that read as subject, requirement and variant."""
    assert collected(repository.run("--collect-only", "-q")) == EVERYTHING


def test_the_checks_of_a_subject_stay_together(repository: Repository) -> None:
    """Whatever shuffles the items, a reader sees one subject after the other."""
    repository.pytester.makeconftest(
        """
        def pytest_collection_modifyitems(items):
            items.sort(key=lambda item: item.name, reverse=True)
        """
    )
    names = collected(repository.run("--collect-only", "-q"))
    assert sorted(names) == sorted(EVERYTHING) != names
    subjects = [name.partition("::")[0] for name in names]
    assert list(dict.fromkeys(subjects)) == ["host", "endpoint", "acme"]
    assert subjects == sorted(subjects, key=["host", "endpoint", "acme"].index)


def test_without_the_flag_nothing_is_added(repository: Repository) -> None:
    """A plain pytest run neither collects a check nor imports more than the options."""
    repository.pytester.makepyfile(
        """
        import sys

        def test_it():
            heavy = ("livekit", "jsonschema", "rich", "conformance.certification.plugin", "aiohttp")
            assert not [name for name in heavy if name in sys.modules]
        """
    )
    result = repository.pytester.runpytest_subprocess("-p", "no:randomly")
    result.assert_outcomes(passed=1)


def test_only_the_certification_without_paths(repository: Repository) -> None:
    """Without paths the project's own tests stay out, testpaths or not."""
    repository.pytester.makepyfile(test_own="def test_own(): pass")
    assert collected(repository.run("--collect-only", "-q")) == EVERYTHING
    repository.pytester.makeini("[pytest]\ntestpaths = .\n")
    assert collected(repository.run("--collect-only", "-q")) == EVERYTHING


def test_paths_bring_their_tests_too(repository: Repository) -> None:
    """With a path its tests run beside the certification."""
    repository.pytester.makepyfile(test_own="def test_own(): pass")
    ids = collected(repository.run("--collect-only", "-q", "test_own.py"))
    assert ids == ["test_own.py::test_own", *EVERYTHING]


def test_a_check_id_as_an_argument_runs_that_check(repository: Repository) -> None:
    """The id that a failure prints repeats just that check; without variant, all of them."""
    ids = collected(repository.run("--co", "-q", "beta::SWAP-01[start-then-close]"))
    assert ids == ["beta::SWAP-01[start-then-close]"]
    ids = collected(repository.run("--co", "-q", "beta::SWAP-01"))
    assert ids == ["beta::SWAP-01[close-then-start]", "beta::SWAP-01[start-then-close]"]


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (["--requirement", "SWAP-*"], EVERYTHING[3:5]),
        (["--requirement", "bind-01", "--requirement", "UNBIND-*"], [EVERYTHING[2], EVERYTHING[5]]),
        (["--level", "should"], [EVERYTHING[5]]),
        (["-k", "BIND"], [EVERYTHING[2], EVERYTHING[5]]),
        (["-k", "close-then-start"], [EVERYTHING[3]]),
        (["--deselect", "acme"], EVERYTHING[:2]),
    ],
)
def test_a_part_can_be_chosen(repository: Repository, arguments: list[str], ids: list[str]) -> None:
    """--requirement, --level, -k and --deselect choose among the checks."""
    assert collected(repository.run("--collect-only", "-q", *arguments)) == ids


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--provider", "acne"], "unknown provider 'acne'; known are: acme, beta"),
        (
            ["--requirement", "SWP-01"],
            "--requirement 'SWP-01' matches no requirement; did you mean",
        ),
        (["--requirement", "XX"], "matches no requirement; the families are: HOST, BIND, SWAP"),
        (["--requirement", "BIND-*", "--level", "should"], "no check is left by"),
        (["acme::BIND-07"], "no check 'acme::BIND-07' in this run; did you mean 'acme::BIND-01'?"),
        (["--conformance-report", "no/r.json"], "cannot write a report there"),
        (["--conformance-report", "."], "it is a directory"),
        (["-p", "xdist.plugin", "--dist", "each", "--tx", "2*popen"], "-n N shares the checks out"),
        (["--conformance-deviations", "none.json"], "none.json: cannot be read"),
    ],
)
def test_bad_input_is_one_line(repository: Repository, arguments: list[str], message: str) -> None:
    """What a user gets wrong ends pytest with exit code 4 and a line that says how to mend it."""
    result = repository.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in result.errlines if line.startswith("ERROR")]
    assert len(errors) == 1
    assert message in errors[0]
    assert "Traceback" not in result.stderr.str()


def test_the_table_of_pyproject_is_read(repository: Repository) -> None:
    """[tool.avatar-conformance] chooses the provider and the report."""
    repository.pytester.makepyprojecttoml(
        '[tool.avatar-conformance]\nprovider = ["beta"]\nreport = "out.json"\n'
    )
    assert repository.run().ret == 0
    assert repository.report("out.json")["selection"]["providers"] == ["beta"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("providers = 'acme'", "has no key 'providers'; there are: provider, report, html"),
        ("provider = 3", "provider = 3: it must be a string or a list of strings"),
        ("provider = [", "pyproject.toml:"),
    ],
)
def test_a_wrong_table_is_one_line(repository: Repository, table: str, message: str) -> None:
    """A mistake in [tool.avatar-conformance] is named with the file and the key."""
    (repository.pytester.path / "pytest.ini").write_text("[pytest]\n")
    repository.pytester.makepyprojecttoml(f"[tool.avatar-conformance]\n{table}\n")
    result = repository.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()


def test_a_pass_is_exit_code_0(repository: Repository) -> None:
    """When every MUST holds the run passes, and the provider has its tier."""
    result = repository.run("--provider", "all")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["acme 1.0: tier robust; gate passed", "  5 checks: 5 passed"])


def test_a_failed_must_is_exit_code_1(repository: Repository) -> None:
    """The failure says what was required, expected and seen, when, what mends and repeats it."""
    repository.behave({"acme::SWAP-01[close-then-start]": "fail:two tails"})
    result = repository.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "acme::SWAP-01?close-then-start? (MUST) failed",
            "  requires   The next segment plays on the new avatar",
            "  expected   a tail",
            "  observed   two tails",
            "  timeline",
            "        1.000  agent                 said seconds=0.500",
            "  >     1.500  tail     new          bound",
            "  likely fix bind one",
            "  repeat     pytest --conformance 'acme::SWAP-01?close-then-start?'",
            "acme 1.0: no tier; gate failed",
            "  swap-safe lacks SWAP-01",
            "  SWAP-01    failed, see above",
        ]
    )
    assert result.stdout.str().count("two tails") == 1


def test_a_failed_should_is_shown_and_passes(repository: Repository) -> None:
    """A SHOULD that does not hold lowers the tier, and neither fails the run nor stops -x."""
    repository.behave({"acme::UNBIND-05": "fail"})
    result = repository.run("-x")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "acme::UNBIND-05 (SHOULD) failed",
            "  observed   no tail",
            "acme 1.0: tier fault-safe; gate passed",
            "  robust lacks UNBIND-05",
            "  5 checks: 4 passed, 1 failed",
        ]
    )


def test_a_listed_defect_of_the_host_fails_no_run(repository: Repository) -> None:
    """What livekit-agents is known to fail is said, and the provider's run passes."""
    repository.behave({"host::HOST-01": "host-defect"})
    result = repository.run("--conformance-report", "r.json", "-v")
    result.stdout.fnmatch_lines(
        ["host::HOST-01 HOST-DEFECT*", "listed defect of the host: host::HOST-01: a listed defect"]
    )
    assert repository.report()["verdict"]["exit_code"] == 0


@pytest.mark.parametrize("subject", ["host", "endpoint"])
def test_a_host_that_fails_for_no_listed_reason_leaves_nobody_a_tier(
    repository: Repository, subject: str
) -> None:
    """Beside such a host, or such an endpoint of the kit, nobody can be judged."""
    repository.behave({f"{subject}::HOST-01": "error"})
    result = repository.run("--conformance-report", "r.json")
    assert result.ret == 1
    assert repository.report()["subjects"][2]["tier"] == "none"
    result.stdout.fnmatch_lines([f"acme *: no tier: {subject}::HOST-01 fails, and no listed*"])


@pytest.mark.parametrize(("required", "code"), [("fault-safe", 0), ("robust", 1)])
def test_a_tier_can_be_required(repository: Repository, required: str, code: int) -> None:
    """The exit code asks for the tier as well as for the gate."""
    repository.behave({"acme::UNBIND-05": "fail"})
    result = repository.run("--require-tier", required)
    assert result.ret == code
    if code:
        result.stdout.fnmatch_lines(
            ["not passed: acme: tier fault-safe, robust is required: it lacks UNBIND-05"]
        )


def test_a_tier_can_be_required_in_the_configuration(repository: Repository) -> None:
    """require_tier in the table asks as the option does; a wrong name is one line."""
    repository.behave({"acme::UNBIND-05": "fail"})
    for name, code in (("robust", 1), ("swap-safe", 0), ("golden", 4)):
        table = f"[tool.avatar-conformance]\nrequire_tier = '{name}'\n"
        (repository.pytester.path / "pyproject.toml").write_text(table)
        result = repository.run()
        assert result.ret == code
    result.stderr.fnmatch_lines(["*require_tier = 'golden': there is no such tier; there are: *"])


def test_an_error_of_the_kit_fails_the_run(repository: Repository) -> None:
    """An error is no verdict on the provider and no pass; its traceback is shown."""
    repository.behave({"acme::UNBIND-05": "crash"})
    result = repository.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "acme::UNBIND-05 (SHOULD) error",
            "  reason     RuntimeError: the runner fell over",
            "E   RuntimeError: the runner fell over",
        ]
    )


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("acme::BIND-01[mid-session]", 1),
        ("acme::BIND-01", 1),
        ("host::HD-02", 0),
        ("acme::UNBIND-05", 0),
        ("acme::SWAP-99", 1),
    ],
)
def test_what_a_blocked_check_counts(repository: Repository, reason: str, code: int) -> None:
    """Blocked by a deviation or by the host it passes, by a failed check or by nothing it fails."""
    repository.behave(
        {
            "acme::SWAP-01[close-then-start]": f"blocked:{reason}",
            "acme::BIND-01": "fail" if "BIND-01" in reason and "UNBIND" not in reason else "pass",
            "acme::UNBIND-05": "fail",
        }
    )
    repository.deviates(deviation("UNBIND-05"))
    assert repository.run().ret == code


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["-k", "not SWAP"], "2 checks deselected"),
        (["--deselect", "acme::SWAP-01"], "2 checks deselected"),
        (["-x"], "stopped early: stopping after 1 failures"),
        (["--maxfail", "1"], "stopped early"),
    ],
)
def test_a_check_that_did_not_run_makes_the_run_partial(
    repository: Repository, arguments: list[str], why: str
) -> None:
    """What pytest leaves out is missing in the ledger: no tier and no pass."""
    repository.behave({"acme::BIND-01": "fail"} if "-k" not in arguments else {})
    assert repository.run(*arguments, "--conformance-report", "r.json").ret == 1
    report = repository.report()
    assert report["partial"] is True
    assert why in report["why_partial"][0]
    acme = report["subjects"][-1]
    assert (acme["tier"], acme["ledger"]["closed"]) == ("none", False)
    assert "acme::SWAP-01[start-then-close]" in acme["ledger"]["missing"]


def test_an_item_that_someone_removes_is_missed(repository: Repository) -> None:
    """The ledger does not believe the collection: a conftest that drops an item is found out."""
    repository.pytester.makeconftest(
        "def pytest_collection_modifyitems(items):\n    items[:] = items[:-1]\n"
    )
    assert repository.run("--conformance-report", "r.json").ret == 0
    assert repository.report()["why_partial"] == ["acme: 1 checks not run: acme::SEC-09"]


def test_a_requirement_without_a_check_makes_the_run_partial(repository: Repository) -> None:
    """A catalogue that asks for more than the suite checks certifies nothing."""
    repository.monkeypatch.setenv("FAKE_UNCHECKED", "BIND-01")
    repository.run("--conformance-report", "r.json")
    report = repository.report()
    assert report["why_partial"] == ["no check for BIND-01"]
    assert report["subjects"][-1]["tier"] == "none"


def test_an_interrupted_run_leaves_a_report(repository: Repository) -> None:
    """Ctrl-C keeps what was found before, and the report says that it is partial."""
    repository.behave({"acme::SWAP-01[start-then-close]": "interrupt"})
    result = repository.run("--conformance-report", "r.json")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    report = repository.report()
    assert report["complete"] is True
    assert report["why_partial"][0] == "interrupted"
    assert len(repository.outcomes()) == 4


def test_a_newer_requirement_is_shown_and_not_scored(repository: Repository) -> None:
    """A requirement newer than the revision neither fails the run nor lowers the tier."""
    repository.behave({"acme::SEC-09": "fail"})
    result = repository.run("--conformance-report", "r.json")
    assert result.ret == 0
    assert repository.report()["subjects"][-1]["tier"] == "robust"


def test_a_narrowed_run_certifies_nothing(repository: Repository) -> None:
    """A run of a part of the requirements passes, and gives no tier."""
    result = repository.run("--requirement", "SWAP-*")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["acme *: no tier: only a part of the requirements was asked*"])


def test_other_failing_tests_fail_the_run(repository: Repository) -> None:
    """The project's own failing test keeps exit code 1 though the certification passes."""
    repository.pytester.makepyfile(test_own="def test_own(): assert 0")
    result = repository.run("test_own.py", "--conformance-report", "r.json")
    assert result.ret == 1
    assert repository.report()["verdict"]["exit_code"] == 0


def test_nothing_reads_as_a_plain_skip(repository: Repository) -> None:
    """Each outcome has a word of its own in pytest's output."""
    repository.behave(
        {
            "acme::BIND-01": "not-applicable:the manifest says so",
            "acme::SWAP-01[close-then-start]": "blocked:acme::BIND-01",
            "acme::UNBIND-05": "fail",
            "acme::SEC-09": "error",
        }
    )
    result = repository.run("-v", "--tb=no")
    words = {line.split()[0]: line.split()[1] for line in result.outlines if "%]" in line}
    assert words == {
        "host::HOST-01": "PASSED",
        "endpoint::HOST-01": "PASSED",
        "acme::BIND-01": "NOT-APPLICABLE",
        "acme::SWAP-01[close-then-start]": "BLOCKED",
        "acme::SWAP-01[start-then-close]": "PASSED",
        "acme::UNBIND-05": "FAILED-SHOULD",
        "acme::SEC-09": "ERROR-UNSCORED",
    }
    assert "skipped" not in result.stdout.str().lower()


def test_a_failing_check_shows_the_log_of_plugin_and_host_alone(repository: Repository) -> None:
    """What the kit logs for itself is nothing that a vendor has to read."""
    repository.behave({"acme::BIND-01": "log"})
    said = repository.run("-v").stdout.str()
    assert "said by livekit.plugins.acme" in said
    assert "said by conformance.endpoint.switcher" in said
    assert "said by conformance.loopback" not in said


def debug(repository: Repository, what: str, *arguments: str) -> str:
    """What a debugger prints when ``what`` is typed into it in a run with ``arguments``."""
    result = repository.pytester.run(
        *(sys.executable, "-m", "pytest", "-p", "fake_kit", "-p", "no:randomly", "--conformance"),
        *arguments,
        stdin=f"{what}\nc\n".encode(),
    )
    return result.stdout.str()


def test_pdb_enters_where_the_check_failed(repository: Repository) -> None:
    """--pdb stops in the check's own frame, with its variables."""
    repository.behave({"acme::SWAP-01[close-then-start]": "fail:two tails"})
    said = debug(repository, "p 'it is to ' + doing", "--pdb", "acme::SWAP-01[close-then-start]")
    assert "it is to fail:two tails" in said


def test_a_breakpoint_in_a_check_works(repository: Repository) -> None:
    """breakpoint() in a check stops there, and the check goes on after it."""
    repository.behave({"acme::BIND-01": "break"})
    said = debug(repository, "p 'this is ' + scene.id.requirement", "acme::BIND-01")
    assert "this is BIND-01" in said
    assert "1 passed" in said


def test_a_run_that_passes_ends_in_no_red(repository: Repository) -> None:
    """The colour of pytest's last line is not that of a failure where nothing has failed."""
    last = repository.run("--color=yes").outlines[-1]
    assert "passed" in last
    assert "\x1b[31m" not in last
