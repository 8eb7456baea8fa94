"""Which requirements, threats, hazards, duties and field cases have a test: each one that docs/requirements.md,
threat-model.md, safety-case.md and compliance.md name has to exist; rows without one are listed, as are field cases (../shared/reference/field-cases.md, where it is there).

exit codes: 0 every named test exists, 1 one does not"""

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("requirements.md", "threat-model.md", "safety-case.md", "compliance.md")
FIELD_CASES = ROOT.parent / "shared" / "reference" / "field-cases.md"


def existing_tests():
    """Names as the documents write them: Suite.Name, test_name, powercut:scenario, model:formula, target_fuzz."""
    names = set()
    for path in (ROOT / "tests").rglob("*.cpp"):
        text = path.read_text()
        for suite, name in re.findall(r"^TEST(?:_F)?\((\w+),\s*(\w+)\)", text, re.M):
            names |= {f"{suite}.{name}", name}
    for path in (ROOT / "tests").rglob("*.py"):
        names |= set(re.findall(r"^def (test_\w+)", path.read_text(), re.M))
    for file in ("scenarios.cpp", "campaign.hpp"):
        scenarios = (ROOT / "tests" / "powercut" / file).read_text()
        names |= {f"powercut:{name}" for name in re.findall(r'"([a-z0-9-]+)"', scenarios)}
    model = (ROOT / "tests" / "model" / "update.pml").read_text()
    names |= {f"model:{name}" for name in re.findall(r"^ltl (\w+)", model, re.M)} | {"model:assertions"}
    names |= {path.stem for path in (ROOT / "tests" / "fuzz").glob("*_fuzz.cpp")}
    return names


def rows_of(document):
    """(first cell, names of tests) of each table row whose table has a column 'tests'."""
    rows, in_table = [], False
    for line in (ROOT / "docs" / document).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            in_table = False
        elif cells[-1] == "tests":
            in_table = True
        elif in_table and not set(cells[0]) <= set("-: "):
            rows.append((cells[0], re.findall(r"`([^`]+)`", cells[-1])))
    return rows


def field_cases(names):
    """{id: is there a test}, or None when the list is not at hand."""
    if not FIELD_CASES.exists():
        return None
    ids = re.findall(r"^\| ([A-J]\d\d) \|", FIELD_CASES.read_text(), re.M)
    tested = {found for name in names for found in re.findall(r"(?:^|[._])([A-J]\d\d)_", name)}
    tested |= {found for path in (ROOT / "tests" / "integration").glob("*.py")
               for found in re.findall(r'"([A-J]\d\d)-', path.read_text())}
    return {case: case in tested for case in ids}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args()
    names = existing_tests()
    report, missing = {}, []
    for document in DOCUMENTS:
        rows = rows_of(document)
        missing += [f"{document}: {first}: {test}" for first, tests in rows for test in tests if test not in names]
        report[document] = {"rows": len(rows), "tested": sum(bool(tests) for _, tests in rows),
                            "open": [first for first, tests in rows if not tests]}
        assert rows, f"{document} has no table with tests"
    cases = field_cases(names)
    if cases is not None:
        report["field cases"] = {"rows": len(cases), "tested": sum(cases.values()),
                                 "open": [case for case, tested in cases.items() if not tested]}
    report["tests that do not exist"] = missing
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        for name, part in report.items():
            if isinstance(part, dict):
                print(f"{name}: {part['tested']} of {part['rows']} rows have a test; open: {', '.join(part['open']) or 'none'}")
        if cases is None:
            print("field cases: the list is not at hand here, skipped")
        print("\n".join(missing) or "every named test exists")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
