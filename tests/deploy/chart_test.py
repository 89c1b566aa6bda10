"""The chart, rendered by helm over a matrix of values and judged by Kubernetes' own schemas.

Run by `make deploy-test`, which first puts the tools into build/tools.
"""

import base64
import copy
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "helm/pando"
TOOLS = ROOT / "build/tools"
sys.path.insert(0, str(TOOLS / "python"))

import yaml  # noqa: E402  (it lies among the tools)

SCHEMAS = next(TOOLS.glob("schemas-*"))
KUBERNETES = sorted(re.match("v([0-9.]+)-", folder.name).group(1) for folder in SCHEMAS.iterdir())

EVERYTHING = {
    "image": {"repository": "registry.example/pando", "tag": "1.2.3", "pullPolicy": "Always",
              "pullSecrets": [{"name": "registry"}]},
    "clusterDomain": "k8s.example",
    "config": {"log-format": "text", "snapshot-interval": "30m", "max-value-bytes": 4096},
    "tls": {"enabled": True, "clientCertificates": False,
            "certManager": {"enabled": True, "issuer": {"name": "root", "kind": "ClusterIssuer"},
                            "duration": "24h", "renewBefore": "8h"}},
    "admin": {"existingSecret": "operators", "identities": ["x509:CN=ops", "ip:10.0.0.0/8"]},
    "auditLog": {"enabled": True},
    "persistence": {"size": "50Gi", "storageClassName": "fast"},
    "resources": {"requests": {"cpu": "2", "memory": "4Gi"},
                  "limits": {"memory": "8Gi"}},
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]}}},
    "nodeSelector": {"pool": "databases"},
    "tolerations": [{"key": "databases", "operator": "Exists"}],
    "priorityClassName": "important",
    "podAnnotations": {"team": "core"},
    "podLabels": {"team": "core"},
    "service": {"type": "LoadBalancer", "annotations": {"internal": "true"}},
    "networkPolicy": {"clients": [{"namespaceSelector": {"matchLabels": {"apps": "yes"}}}],
                      "metrics": [{"namespaceSelector": {"matchLabels": {"metrics": "yes"}}}]},
    "resize": {"timeoutSeconds": 600},
    "serviceMonitor": {"enabled": True, "interval": "5s", "labels": {"prometheus": "main"}},
    "prometheusRule": {"enabled": True, "labels": {"prometheus": "main"}},
    "dashboards": {"enabled": True, "labels": {"grafana_dashboard": "yes"}},
    "backup": {"enabled": True, "schedule": "0 * * * *", "keep": 24,
               "persistence": {"size": "99Gi", "storageClassName": "cheap"}},
}
MATRIX = {
    "default": {},
    "one": {"replicas": 1, "initialReplicas": 1},
    "five": {"replicas": 5, "initialReplicas": 5},
    "grown": {"replicas": 9},
    "everything": EVERYTHING,
    "open": {"networkPolicy": {"enabled": False}},
    "closed": {"networkPolicy": {"clients": [], "metrics": []}},
    "anywhere": {"topologySpread": []},
    "tls of the chart": {"tls": {"enabled": True}, "backup": {"enabled": True}},
    "tls of a secret": {"tls": {"enabled": True, "existingSecret": "mine"}},
    "administrators": {"admin": {"existingSecret": "operators"}, "backup": {"enabled": True}},
    "backup on a claim": {"backup": {"enabled": True, "persistence": {"existingClaim": "mine"}}},
}


def helm(*words, values=None, check=True):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values or {}, file)
        file.flush()
        done = subprocess.run([TOOLS / "helm", *words, "-f", file.name], capture_output=True,
                              text=True)
    if check and done.returncode != 0:
        raise AssertionError(f"helm {' '.join(map(str, words))}: {done.stderr}")
    return done


def render(values=None, release="pando", namespace="default"):
    return helm("template", release, CHART, "--namespace", namespace, values=values).stdout


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def one(docs, kind, name=None):
    found = [d for d in docs if d["kind"] == kind and name in (None, d["metadata"]["name"])]
    assert len(found) == 1, f"{kind} {name}: {len(found)}"
    return found[0]


def pod_of(document):
    """The pod spec of whatever makes pods, and its labels; None: it makes none."""
    kind, spec = document["kind"], document.get("spec", {})
    if kind == "Pod":
        return spec, document["metadata"]["labels"]
    if kind == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    elif kind not in ("StatefulSet", "Job"):
        return None
    return spec["template"]["spec"], spec["template"]["metadata"]["labels"]


def leaves(tree, path=()):
    """Paths of all values that are no mappings."""
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def merged(base, over):
    result = copy.deepcopy(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def matches(labels, selector):
    return all(labels.get(key) == value for key, value in selector.items())


class Schemas(unittest.TestCase):
    def kubeconform(self, manifests, version):
        """Of {name: manifests}, all at once: it reads each schema once for all of them."""
        location = (f"{SCHEMAS}/{{{{.NormalizedKubernetesVersion}}}}-local{{{{.StrictSuffix}}}}"
                    "/{{.ResourceKind}}{{.KindSuffix}}.json")
        with tempfile.TemporaryDirectory() as folder:
            for name, text in manifests.items():
                pathlib.Path(folder, f"{name}.yaml").write_text(text)
            return subprocess.run(
                [TOOLS / "kubeconform", "-strict", "-verbose", "-kubernetes-version", version,
                 "-schema-location", location, "-skip",
                 "ServiceMonitor,PrometheusRule,Certificate", folder],
                capture_output=True, text=True)

    def test_helm_lints_it(self):
        for name, values in MATRIX.items():
            with self.subTest(name):
                done = helm("lint", "--strict", CHART, values=values, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_kubernetes_takes_it(self):
        self.assertEqual(len(KUBERNETES), 3)
        manifests = {name: render(values) for name, values in MATRIX.items()}
        for version in KUBERNETES:
            with self.subTest(version=version):
                done = self.kubeconform(manifests, version)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                for name in MATRIX:
                    self.assertIn(f"/{name}.yaml - StatefulSet", done.stdout)

    def test_what_kubernetes_does_not_take_is_found(self):
        good = render()
        bad = good.replace("podManagementPolicy:", "podManagmentPolicy:")
        done = self.kubeconform({"good": good, "bad": bad}, KUBERNETES[-1])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/good.yaml - StatefulSet pando is valid", done.stdout)
        self.assertIn("/bad.yaml - StatefulSet pando is invalid", done.stdout)

    def test_the_prometheus_operator_takes_it(self):
        def verify(manifests):
            return subprocess.run([TOOLS / "monitoring"], input=manifests, capture_output=True,
                                  text=True)

        manifests = render(EVERYTHING)
        self.assertEqual(verify(manifests).stdout, "2 verified\n")
        wrong = manifests.replace("jobLabel:", "jobLable:")
        self.assertNotEqual(verify(wrong).returncode, 0)


class Values(unittest.TestCase):
    def test_what_is_wrong_is_refused_by_name(self):
        cases = [
            ({"replicas": 2}, "replicas"), ({"replicas": 4}, "replicas"),
            ({"replicas": 0}, "replicas"), ({"replicas": 11}, "replicas"),
            ({"initialReplicas": 2}, "initialReplicas"),
            ({"replicas": 3, "initialReplicas": 5}, "set initialReplicas to 3 too"),
            ({"replica": 3}, "replica"),
            ({"config": {"data-dir": "/elsewhere"}}, "data-dir"),
            ({"persistence": {"size": "ten"}}, "size"),
            ({"backup": {"keep": 0}}, "keep"),
            ({"networkPolicy": {"enabled": "yes"}}, "enabled"),
            ({"tls": {"existingSecret": "mine", "certManager": {"enabled": True}}}, "not both"),
            ({"tls": {"certManager": {"issuer": {"kind": "Issue"}}}}, "kind"),
            ({"admin": {"identities": ["digest:a:b;world:anyone"]}}, "identities"),
            ({"admin": {"identities": ["ip:127.0.0.1"]}}, "give them a Secret"),
            ({"config": {"super-digest": "root:hash"}}, "super-digest"),
        ]
        for values, named in cases:
            with self.subTest(values):
                done = helm("template", "pando", CHART, values=values, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(named, done.stderr)

    def test_the_values_that_the_documentation_sets_are_taken(self):
        page = (ROOT / "docs/kubernetes.md").read_text()
        settings = re.findall(r"--set (\S+)", page)
        self.assertGreater(len(settings), 2)
        for setting in settings:
            with self.subTest(setting):
                helm("template", "pando", CHART, "--set", setting)

    def test_each_value_does_something(self):
        defaults = yaml.safe_load((CHART / "values.yaml").read_text())
        other = merged(defaults, merged(EVERYTHING, {"replicas": 5, "initialReplicas": 1,
                                                     "topologySpread": []}))
        other["networkPolicy"]["enabled"] = False
        other["backup"]["persistence"]["existingClaim"] = "mine"
        other["tls"]["existingSecret"] = "mine"
        # What it shows in: a release with all parts on.
        base = merged(defaults, {name: {"enabled": True} for name in (
            "serviceMonitor", "prometheusRule", "dashboards", "backup", "tls", "auditLog")})
        base["tls"]["certManager"]["enabled"] = True
        base["admin"]["existingSecret"] = "mine"
        before = render(base)
        paths = list(leaves(defaults))
        self.assertGreater(len(paths), 35)
        for path in paths:
            values, value = copy.deepcopy(base), other
            for key in path:
                value = value[key]
            at = values
            for key in path[:-1]:
                at = at[key]
            if path[-1] == "enabled" and path[0] != "networkPolicy":
                value = False
            self.assertNotEqual(at[path[-1]], value, f"{path}: give it another value above")
            at[path[-1]] = value
            if path == ("tls", "existingSecret"):
                values["tls"]["certManager"]["enabled"] = False
            with self.subTest(".".join(path)):
                self.assertNotEqual(render(values), before)


class StatefulSet(unittest.TestCase):
    def test_scaling_restarts_nobody(self):
        templates = [one(documents(render({"replicas": n})), "StatefulSet")["spec"]["template"]
                     for n in (3, 5, 9)]
        self.assertEqual(templates[0], templates[1])
        self.assertEqual(templates[0], templates[2])

    def test_the_founders_are_the_pods_of_the_initial_size(self):
        for release, initial in (("pando", 3), ("my-release", 5), ("x" * 53, 1)):
            docs = documents(render({"replicas": 5, "initialReplicas": initial}, release, "apps"))
            stateful = one(docs, "StatefulSet")
            peers = one(docs, "Service", stateful["spec"]["serviceName"])
            container = stateful["spec"]["template"]["spec"]["containers"][0]
            env = {e["name"]: e.get("value") for e in container["env"]}
            name = stateful["metadata"]["name"]
            domain = f"{peers['metadata']['name']}.apps.svc.cluster.local"
            self.assertEqual(
                env["INITIAL_CLUSTER"],
                ",".join(f"{i}={name}-{i}.{domain}:7401" for i in range(1, initial + 1)))
            self.assertEqual(env["PANDO_ADVERTISE_PEER"], f"$(POD_NAME).{domain}:7401")
            self.assertEqual(stateful["spec"]["ordinals"]["start"], 1)
            # A pod's name becomes a label together with a hash of ten digits.
            self.assertLessEqual(len(name) + 12, 63)

    def test_names_are_found_before_a_server_is_ready_and_clients_after(self):
        docs = documents(render())
        peers, clients, join = (one(docs, "Service", name)["spec"]
                                for name in ("pando-peers", "pando", "pando-join"))
        self.assertTrue(peers["publishNotReadyAddresses"])
        self.assertEqual(peers["clusterIP"], "None")
        for ready_only in (clients, join):
            self.assertNotIn("publishNotReadyAddresses", ready_only)

    def test_services_and_policies_mean_the_servers_and_nobody_else(self):
        docs = documents(render(EVERYTHING))
        selectors = [s["spec"]["selector"] for s in docs if s["kind"] == "Service"]
        selectors.append(one(docs, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"])
        selectors.append(one(docs, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"])
        pods = [(d["kind"], pod_of(d)[1]) for d in docs if pod_of(d)]
        self.assertEqual(len(pods), 5)
        for selector in selectors:
            self.assertEqual([kind for kind, labels in pods if matches(labels, selector)],
                             ["StatefulSet"])

    def test_the_policy_lets_servers_and_jobs_through(self):
        docs = documents(render({"backup": {"enabled": True}}))
        rules = {rule["ports"][0]["port"]: [peer["podSelector"]["matchLabels"]
                                            for peer in rule["from"] if "podSelector" in peer
                                            and "matchLabels" in peer["podSelector"]]
                 for rule in one(docs, "NetworkPolicy")["spec"]["ingress"]}
        for kind, labels in [(d["kind"], pod_of(d)[1]) for d in docs if pod_of(d)]:
            self.assertTrue(any(matches(labels, peer) for peer in rules["client"]), kind)
            self.assertEqual(any(matches(labels, peer) for peer in rules["peer"]),
                             kind == "StatefulSet")

    def test_life_does_not_depend_on_the_quorum(self):
        container = one(documents(render()), "StatefulSet")["spec"]["template"]["spec"][
            "containers"][0]
        paths = {name: container[name + "Probe"]["httpGet"]
                 for name in ("liveness", "startup", "readiness")}
        self.assertEqual(paths, {"liveness": {"path": "/healthz", "port": "http"},
                                 "startup": {"path": "/healthz", "port": "http"},
                                 "readiness": {"path": "/readyz", "port": "http"}})

    def test_no_pod_may_more_than_it_needs(self):
        for name, values in MATRIX.items():
            for document in documents(render(values)):
                if not pod_of(document):
                    continue
                pod, _ = pod_of(document)
                with self.subTest(name, kind=document["kind"]):
                    self.assertIs(pod["automountServiceAccountToken"], False)
                    self.assertIs(pod["enableServiceLinks"], False)
                    self.assertIs(pod["securityContext"]["runAsNonRoot"], True)
                    for key in ("runAsUser", "runAsGroup", "fsGroup"):
                        self.assertEqual(pod["securityContext"][key], 65532)
                    for container in pod["containers"]:
                        self.assertEqual(container["securityContext"], {
                            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]}})
                        self.assertIn("memory", container["resources"]["limits"])


class Tls(unittest.TestCase):
    def environment(self, docs):
        container = one(docs, "StatefulSet")["spec"]["template"]["spec"]["containers"][0]
        return container, {e["name"]: e.get("value") for e in container["env"]}

    def test_without_it_nothing_of_it_is_there(self):
        self.assertNotIn("tls", render().lower())

    def test_every_pod_has_the_certificate_and_says_so(self):
        for name in ("tls of the chart", "tls of a secret", "everything"):
            for document in documents(render(MATRIX[name])):
                if not pod_of(document):
                    continue
                with self.subTest(name, kind=document["kind"]):
                    pod, _ = pod_of(document)
                    secrets = {v["name"]: v["secret"]["secretName"] for v in pod["volumes"]
                               if "secret" in v}
                    self.assertEqual(secrets["tls"], "mine" if "secret" in name else "pando-tls")
                    container = pod["containers"][0]
                    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
                    self.assertEqual(mounts["tls"], "/etc/pando/tls")
                    env = {e["name"]: e.get("value") for e in container["env"]}
                    for variable, file in (("CA", "ca.crt"), ("CERT", "tls.crt"),
                                           ("KEY", "tls.key")):
                        self.assertEqual(env[f"PANDO_TLS_{variable}"], f"/etc/pando/tls/{file}")
                    self.assertRegex(env["PANDO_TLS_SERVER_NAME"], r"^pando\.default\.svc\.")

    def test_servers_speak_it_on_all_ports(self):
        container, env = self.environment(documents(render({"tls": {"enabled": True}})))
        for variable in ("PANDO_TLS_CLIENT_CA", "PANDO_PEER_TLS_CA"):
            self.assertEqual(env[variable], "/etc/pando/tls/ca.crt")
        self.assertEqual(env["PANDO_PEER_TLS_CERT"], env["PANDO_TLS_CERT"])
        for probe in ("liveness", "startup", "readiness"):
            self.assertEqual(container[probe + "Probe"]["httpGet"]["scheme"], "HTTPS")
        # The kubelet has no certificate to show.
        self.assertNotIn("PANDO_HTTP_TLS_CLIENT_CA", env)
        _, env = self.environment(documents(render(
            {"tls": {"enabled": True, "clientCertificates": False}})))
        self.assertNotIn("PANDO_TLS_CLIENT_CA", env)

    def test_the_certificate_is_good_for_every_name_that_is_used(self):
        values = {"tls": {"enabled": True, "certManager": {"enabled": True}}}
        docs = documents(render(values, "my-release", "apps"))
        names = one(docs, "Certificate")["spec"]["dnsNames"]
        _, env = self.environment(docs)
        used = [env[name] for name in ("CLIENT_SERVICE", "JOIN_SERVICE", "PANDO_ADVERTISE_PEER",
                                       "PANDO_ADVERTISE_CLIENT")]
        used += [member.split("=")[1] for member in env["INITIAL_CLUSTER"].split(",")]
        for address in used:
            host = address.replace("$(POD_NAME)", "my-release-pando-1").rsplit(":", 1)[0]
            wildcard = "*." + host.split(".", 1)[1]
            self.assertTrue({host, wildcard} & set(names), f"{host} is none of {names}")
        self.assertIn(env["PANDO_TLS_SERVER_NAME"], names)
        self.assertIn("client auth", one(docs, "Certificate")["spec"]["usages"])

    def test_the_chart_makes_certificates_that_pandod_takes(self):
        """A CA, the servers' certificate and a client's, as openssl sees them."""
        docs = documents(render({"tls": {"enabled": True}}))
        secrets = {name: one(docs, "Secret", name)["data"]
                   for name in ("pando-tls", "pando-tls-client")}
        self.assertEqual(secrets["pando-tls"]["ca.crt"], secrets["pando-tls-client"]["ca.crt"])
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for secret, data in secrets.items():
                for file, content in data.items():
                    (folder / f"{secret}.{file}").write_bytes(base64.b64decode(content))
            for secret, purpose in (("pando-tls", "sslserver"), ("pando-tls", "sslclient"),
                                    ("pando-tls-client", "sslclient")):
                subprocess.run(["openssl", "verify", "-purpose", purpose, "-CAfile",
                                folder / "pando-tls.ca.crt", folder / f"{secret}.tls.crt"],
                               check=True, capture_output=True)
            for host in ("pando-3.pando-peers.default.svc.cluster.local", "localhost"):
                done = subprocess.run(
                    ["openssl", "x509", "-noout", "-checkhost", host, "-in",
                     folder / "pando-tls.tls.crt"], capture_output=True, text=True)
                self.assertIn("does match", done.stdout)


class Administration(unittest.TestCase):
    def environment(self, document):
        pod, _ = pod_of(document)
        return {e["name"]: e for e in pod["containers"][0]["env"]}

    def test_without_a_secret_nobody_is_made_an_administrator(self):
        for document in filter(pod_of, documents(render())):
            names = set(self.environment(document))
            self.assertFalse(names & {"PANDO_SUPER_DIGEST", "PANDO_ADMIN_IDENTITY",
                                      "PANDO_AUTH_FILE", "PANDO_AUDIT_LOG"}, document["kind"])

    def test_every_pod_can_administer(self):
        """The chart's jobs change the membership and save backups; preStop hands over."""
        for name in ("administrators", "everything"):
            pods = [d for d in documents(render(MATRIX[name])) if pod_of(d)]
            self.assertEqual(len(pods), 5)
            for document in pods:
                with self.subTest(name, kind=document["kind"]):
                    pod, _ = pod_of(document)
                    (volume,) = [v for v in pod["volumes"] if v["name"] == "admin"]
                    (mount,) = [m for m in pod["containers"][0]["volumeMounts"]
                                if m["name"] == "admin"]
                    # Not the hash: nobody but the server needs it.
                    (item,) = volume["secret"]["items"]
                    self.assertEqual(volume["secret"]["secretName"], "operators")
                    self.assertEqual(item["key"], "credentials")
                    self.assertEqual(self.environment(document)["PANDO_AUTH_FILE"]["value"],
                                     f"{mount['mountPath']}/{item['path']}")

    def test_no_value_has_a_secret_in_it(self):
        docs = documents(render(EVERYTHING))
        for document in filter(pod_of, docs):
            entry = self.environment(document).get("PANDO_SUPER_DIGEST")
            self.assertEqual(entry is not None, document["kind"] == "StatefulSet")
            if entry:
                self.assertEqual(entry["valueFrom"]["secretKeyRef"],
                                 {"name": "operators", "key": "super-digest"})

    def test_servers_know_the_others_and_write_down_what_they_do(self):
        environment = self.environment(one(documents(render(EVERYTHING)), "StatefulSet"))
        self.assertEqual(environment["PANDO_ADMIN_IDENTITY"]["value"], "x509:CN=ops;ip:10.0.0.0/8")
        self.assertEqual(environment["PANDO_AUDIT_LOG"]["value"], "-")


class Manifests(unittest.TestCase):
    def test_the_plain_manifests_are_what_the_chart_renders(self):
        done = subprocess.run([ROOT / "scripts/render-manifests", "--check"], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_plain_manifests_have_no_hooks(self):
        docs = documents((ROOT / "deploy/kubernetes/pando.yaml").read_text())
        for document in docs:
            self.assertNotIn("helm.sh/hook", document["metadata"].get("annotations", {}))
        one(docs, "StatefulSet")


if __name__ == "__main__":
    unittest.main()
