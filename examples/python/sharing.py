"""Sharing information between servers: what one puts, all others get.

sharing.py put KEY VALUE | sharing.py get KEY
"""

import os
import sys

import pando

ROOT = "/sharing"

with pando.connect(os.environ["PANDO_ENDPOINTS"]) as session:
    if sys.argv[1] == "put":
        key, value = sys.argv[2:]
        session.create(ROOT, if_not_exists=True)
        made = session.create(f"{ROOT}/{key}", value.encode(), if_not_exists=True)
        if made.existed:
            session.set(f"{ROOT}/{key}", value.encode())
    else:
        # Linearizable: what any server was told before, wherever this one is connected.
        print(session.get(f"{ROOT}/{sys.argv[2]}", linearizable=True).data.decode())
