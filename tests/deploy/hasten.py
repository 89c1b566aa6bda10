"""The alerts, quick: python3 tests/deploy/hasten.py <deploy/prometheus/alerts.yaml >quick.yaml

Whoever causes an alert's condition on purpose does not want to wait for minutes. Each `for:`
becomes 2 s, and rates and increases look back over 20 s. What is asked for, and every threshold,
stays as it is.
"""

import re
import sys

FOR = "2s"
RANGE = "20s"


def hasten(rules):
    rules = re.sub(r"^(\s+for: )\w+$", rf"\g<1>{FOR}", rules, flags=re.MULTILINE)
    return re.sub(r"\[\d+[smh]\]", f"[{RANGE}]", rules)


if __name__ == "__main__":
    sys.stdout.write(hasten(sys.stdin.read()))
