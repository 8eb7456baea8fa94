"""Runs the Promela model of an update (tests/model/update.pml) through spin: assertions, the ltl formulas, the pairs
of states against the constexpr table of the code, and mutants of the model that have to fail.

exit codes: 0 all hold, 1 something does not, 2 spin or a compiler is missing"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "tests" / "model" / "update.pml"
WORK = ROOT / "build" / "model"
FORMULAS = ["ends_once", "settles", "every_update_ends", "stays"]
# A line of the model, what it becomes, and who has to notice: "assertions" or a formula.
MUTANTS = [
    ("the restart may come while the battery is unsafe", "atomic { safe -> assert(safe && proven",
     "atomic { true -> assert(safe && proven", "assertions"),
    ("giving up leaves the slot armed", ":: armed -> armed = false; entry = NO_ENTRY\n    :: else\n    fi;\n    if",
     ":: true\n    fi;\n    if", "assertions"),
    ("what is in the slot need not be proven", ":: package_good && content == WHOLE ->", ":: content == WHOLE ->", "assertions"),
    ("one end is told twice", "ends++; under_way = false", "ends = ends + 2; under_way = false", "ends_once"),
    ("an update that fails is not ended", "faults--; go(DOWNLOADING, FAILED); end_update(); goto rest",
     "faults--; go(DOWNLOADING, FAILED); goto done", "every_update_ends"),
    ("a confirmed entry is written again at each boot", "stage = CONFIRMED; goto rest",
     "stage = CONFIRMED; write_entry(VALID); goto rest", "stays"),
]


def run(*command):
    return subprocess.run([str(part) for part in command], cwd=WORK, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


def build(text):
    """Compiles two verifiers of a model: for assertions, and with cycles and fairness for the formulas."""
    (WORK / "update.pml").write_text(text)
    steps = [run("spin", "-a", "update.pml"),
             run("gcc", "-O2", "-DSAFETY", "-DNOCLAIM", "-o", "pan_assertions", "pan.c"),
             run("gcc", "-O2", "-DNFAIR=3", "-o", "pan_formulas", "pan.c")]
    for step in steps:
        if step.returncode != 0:
            raise SystemExit(step.stdout)


def verify(what):
    """(holds, states). pan ends with 0 whatever it finds, so its words count."""
    if what == "assertions":
        output = run("./pan_assertions", "-m1000000").stdout
    else:
        output = run("./pan_formulas", "-a", "-f", "-m1000000", "-N", what).stdout
    states = re.search(r"(\d+) states, stored", output)
    holds = "errors: 0" in output and "max search depth too small" not in output and states is not None
    return holds, int(states[1]) if states else 0


def pairs_of_model(text):
    return set(re.findall(r"\bgo\(([A-Z_]+), ([A-Z_]+)\)", text))


def main():
    if not shutil.which("spin"):
        print("spin is missing: apt install spin", file=sys.stderr)
        return 2
    table = sys.argv[1]
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "table.pml").write_text(run(table).stdout)
    text = MODEL.read_text()
    good = True

    allowed = {tuple(line.split()) for line in run(table, "--pairs").stdout.splitlines()}
    modelled = pairs_of_model(text)
    same = bool(allowed) and allowed == modelled
    print(f"  {'ok    ' if same else 'FAILED'} {len(allowed)} transitions of the code are those of the model", flush=True)
    for pair in sorted(allowed ^ modelled):
        print(f"         only in the {'code' if pair in allowed else 'model'}: {' -> '.join(pair)}")
    good = good and same

    build(text)
    for what in ["assertions", *FORMULAS]:
        holds, states = verify(what)
        print(f"  {'ok    ' if holds else 'FAILED'} {what}: {states} states", flush=True)
        good = good and holds

    for name, line, other, what in MUTANTS:
        assert text.count(line) == 1, f"mutant '{name}' no longer fits the model"
        build(text.replace(line, other))
        noticed = not verify(what)[0]
        print(f"  {'ok    ' if noticed else 'FAILED'} mutant noticed by {what}: {name}", flush=True)
        good = good and noticed
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
