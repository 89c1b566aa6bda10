"""A stand-in for Kubernetes: it does with the chart's objects what the documentation of Kubernetes
says of StatefulSets, kubelets, Services, Jobs and Helm's hooks, as far as the chart uses them.

Of a Service only the names are played: in DNS it is the addresses of its pods, as if it were
headless. Not played: scheduling, resources, network policies, disruption budgets.
"""

import base64
import re
import subprocess
import threading
import time

ANSWER_S = 90


def wait_until(condition, timeout_s, what):
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s} s")
        time.sleep(0.05)


def environment_of(container, pod_name, secrets):
    """The container's variables, with $(NAME) of earlier ones put in."""
    values = {}
    for entry in container.get("env", []):
        source = entry.get("valueFrom", {})
        if "secretKeyRef" in source:
            wanted = source["secretKeyRef"]
            value = secrets[wanted["name"]][wanted["key"]].decode()
        elif source:
            assert source["fieldRef"]["fieldPath"] == "metadata.name"
            value = pod_name
        else:
            value = re.sub(r"\$\((\w+)\)", lambda m: values.get(m.group(1), m.group(0)),
                           entry["value"])
        values[entry["name"]] = value
    return values


def files_of(spec, container, secrets):
    """{path: content} of the Secrets that are mounted into the container."""
    mounts = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", [])}
    files = {}
    for volume in spec.get("volumes", []):
        if "secret" not in volume:
            continue
        data = secrets[volume["secret"]["secretName"]]
        items = volume["secret"].get("items", [{"key": key, "path": key} for key in data])
        for item in items:
            files[f"{mounts[volume['name']]}/{item['path']}"] = data[item["key"]]
    return files


class Pod:
    """One pod and the kubelet that looks after it, as a thread."""

    def __init__(self, cluster, name, spec, volume):
        self.cluster = cluster
        self.name = name
        self.volume = volume
        self.spec = spec
        (self.container,) = spec["containers"]
        self.environment = environment_of(self.container, name, cluster.secrets)
        self.files = files_of(spec, self.container, cluster.secrets)
        self.namespace, self.address = cluster.sandbox.add_host()
        self.log_path = cluster.sandbox.folder / f"{name}-{self.address}.log"
        self.log_path.touch()
        self.ready = False
        self.restarts = -1
        self.process = None
        self.stopping = threading.Event()
        self.may_run = threading.Event()  # cleared: the node holds it back
        self.may_run.set()
        self.thread = threading.Thread(target=self._look_after, name=f"kubelet-{name}")
        self.thread.start()

    def _start(self, words, **popen):
        return self.cluster.sandbox.start(self.namespace, self.volume, words, self.environment,
                                          self.files, **popen)

    def _look_after(self):
        self.cluster.sandbox.enter_node()
        while not self.stopping.is_set():
            if not self.may_run.wait(0.05):
                continue
            self.restarts += 1
            with open(self.log_path, "ab") as log:
                self.process = self._start([*self.container["command"], *self.container["args"]],
                                           stdout=log, stderr=log)
            if self._becomes("startupProbe", lambda: True):
                self._watch_over()
            self._set_ready(False)
            if not self.stopping.is_set():
                self.process.kill()
            self.process.wait()

    def _probe(self, name):
        probe = self.container[name]
        ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        get = probe["httpGet"]
        return 200 == self.cluster.sandbox.http_status(
            get.get("scheme", "HTTP"), self.address, ports[get["port"]], get["path"],
            probe["timeoutSeconds"])

    def _gone(self):
        return self.process.poll() is not None or self.stopping.is_set()

    def _becomes(self, name, wanted):
        """Asks until the probe succeeds; False: it has failed too often, or the process is gone."""
        for _ in range(self.container[name]["failureThreshold"]):
            if self._probe(name):
                return wanted()
            deadline = time.monotonic() + self.container[name]["periodSeconds"]
            while time.monotonic() < deadline:
                if self._gone():
                    return False
                time.sleep(0.05)
        return False

    def _watch_over(self):
        """Until the process is gone or dead."""
        failures = {"livenessProbe": 0, "readinessProbe": 0}
        allowed = {name: self.container[name]["failureThreshold"] for name in failures}
        due = dict.fromkeys(failures, 0.0)
        while not self._gone():
            for name in failures:
                if time.monotonic() < due[name]:
                    continue
                due[name] = time.monotonic() + self.container[name]["periodSeconds"]
                failures[name] = 0 if self._probe(name) else failures[name] + 1
            if failures["livenessProbe"] >= allowed["livenessProbe"]:
                return
            if failures["readinessProbe"] == 0:
                self._set_ready(True)
            elif failures["readinessProbe"] >= allowed["readinessProbe"]:
                self._set_ready(False)
            time.sleep(0.05)

    def _set_ready(self, ready):
        if self.ready != ready:
            self.ready = ready
            self.cluster.publish()

    def execute(self, *words, timeout_s=ANSWER_S):
        """`kubectl exec`: (exit status, output, errors)."""
        process = self._start(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        output, errors = process.communicate(timeout=timeout_s)
        return process.returncode, output, errors

    def delete(self):
        """As when a pod is deleted: no endpoint any more, preStop, TERM, and KILL in the end.
        Returns the exit status of the container."""
        deadline = time.monotonic() + self.spec["terminationGracePeriodSeconds"]
        self._set_ready(False)
        pre_stop = self.container["lifecycle"]["preStop"]["exec"]["command"]
        if self.process.poll() is None:
            self.pre_stop = self.execute(*pre_stop)
            self.stopping.set()
            self.process.terminate()
        self.stopping.set()
        try:
            status = self.process.wait(max(deadline - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.thread.join()
        self.cluster.sandbox.remove_host(self.namespace)
        return status

    def hold_back(self):
        """The node is lost: the process is killed and comes back only with let_run."""
        self.may_run.clear()
        self.process.kill()

    def let_run(self):
        self.may_run.set()

    def log(self, last=4000):
        return self.log_path.read_text(errors="replace")[-last:]


class Cluster:
    """The pods of one release of the chart, and Helm."""

    def __init__(self, sandbox, render):
        self.sandbox = sandbox
        self.render = render  # (values) -> documents
        self.pods = {}
        self.volumes = {}
        self.secrets = {}  # {name: {key: bytes}}
        self.documents = []
        self.services = []
        self.lock = threading.RLock()

    def close(self):
        for pod in self.pods.values():
            pod.stopping.set()
            if pod.process is not None and pod.process.poll() is None:
                pod.process.kill()
        for pod in self.pods.values():
            pod.thread.join()

    # --- Names --------------------------------------------------------------------------------

    def publish(self):
        with self.lock:
            names = []
            for service in self.services:
                spec, metadata = service["spec"], service["metadata"]
                host = f"{metadata['name']}.{self.namespace}.svc.cluster.local"
                for pod in self.pods.values():
                    if not pod.ready and not spec.get("publishNotReadyAddresses"):
                        continue
                    names.append((pod.address, host))
                    if spec.get("clusterIP") == "None":
                        names.append((pod.address, f"{pod.name}.{host}"))
            self.sandbox.publish(names)

    # --- The StatefulSet ----------------------------------------------------------------------

    def _create(self, ordinal):
        spec = self.stateful["spec"]
        name = f"{self.stateful['metadata']['name']}-{ordinal}"
        if name not in self.volumes:
            self.volumes[name] = self.sandbox.volume(f"data-{name}-{time.monotonic_ns()}")
        with self.lock:
            self.pods[name] = Pod(self, name, spec["template"]["spec"], self.volumes[name])
        self.publish()
        return self.pods[name]

    def delete_pod(self, name):
        """Deletes it, as a drain does, and returns it when it is gone. Nobody makes it anew."""
        pod = self.pods[name]
        pod.exit_status = pod.delete()
        with self.lock:
            del self.pods[name]
        self.publish()
        return pod

    def replace_pod(self, name):
        """Deletes it; the controller makes it anew, elsewhere, on its volume. (old, new)."""
        old = self.delete_pod(name)
        return old, self._create(int(name.rsplit("-", 1)[1]))

    def lose_volume(self, name):
        """Its disk is gone, and its pod with it; the controller makes both anew."""
        self.delete_pod(name)
        del self.volumes[name]
        return self._create(int(name.rsplit("-", 1)[1]))

    def _scale(self, replicas):
        """Pods come and go all at once: Parallel."""
        spec = self.stateful["spec"]
        assert spec["podManagementPolicy"] == "Parallel"
        first = spec["ordinals"]["start"]
        wanted = {f"{self.stateful['metadata']['name']}-{i}": i
                  for i in range(first, first + replicas)}
        for name, ordinal in wanted.items():
            if name not in self.pods:
                self._create(ordinal)

        def go(name):
            self.delete_pod(name)
            if spec["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Delete":
                del self.volumes[name]

        going = [threading.Thread(target=go, args=[name])
                 for name in self.pods if name not in wanted]
        for thread in going:
            thread.start()
        return going

    def roll(self):
        """As when the template has changed: from the last pod to the first, each when the one
        before is ready. Returns the old pods."""
        old = []
        for name in sorted(self.pods, reverse=True):
            gone, new = self.replace_pod(name)
            old.append(gone)
            self.wait_ready(new.name)
        return old

    def wait_ready(self, *names, timeout_s=ANSWER_S):
        names = names or tuple(self.pods)
        try:
            wait_until(lambda: all(self.pods[name].ready for name in names), timeout_s, "ready")
        except AssertionError as error:
            logs = "".join(f"--- {name}\n{self.pods[name].log()}" for name in names
                           if not self.pods[name].ready)
            raise AssertionError(f"{error}\n{logs}") from None

    # --- Helm ---------------------------------------------------------------------------------

    def _hooks(self, event):
        return [d for d in self.documents
                if event in d["metadata"].get("annotations", {}).get("helm.sh/hook", "").split(",")]

    def run_hooks(self, event):
        """Each hook's pod to its end. (exit status, output) of the first that fails, or of all."""
        output = ""
        for hook in self._hooks(event):
            spec = hook["spec"] if hook["kind"] == "Pod" else hook["spec"]["template"]["spec"]
            status, text = self.run_job(hook["metadata"]["name"], spec,
                                        hook["spec"].get("activeDeadlineSeconds", ANSWER_S))
            output += text
            if status != 0:
                return status, output
        return 0, output

    def run_job(self, name, spec, deadline_s):
        (container,) = spec["containers"]
        namespace, _ = self.sandbox.add_host()
        volume = self.sandbox.volume(f"{name}-{time.monotonic_ns()}")
        process = self.sandbox.start(namespace, volume, [*container["command"], *container["args"]],
                                     environment_of(container, name, self.secrets),
                                     files_of(spec, container, self.secrets),
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            output, _ = process.communicate(timeout=min(deadline_s, ANSWER_S))
        except subprocess.TimeoutExpired:
            process.kill()
            output = process.communicate()[0] + "\n(past its deadline)"
        self.sandbox.remove_host(namespace)
        return process.returncode, output

    def _take(self, values):
        self.documents = self.render(values)
        self.services = [d for d in self.documents if d["kind"] == "Service"]
        for secret in (d for d in self.documents if d["kind"] == "Secret"):
            # One that is there stays: the chart would have looked it up, and rendered it again.
            self.secrets.setdefault(secret["metadata"]["name"], {
                key: base64.b64decode(value) for key, value in secret["data"].items()})
        (self.stateful,) = [d for d in self.documents if d["kind"] == "StatefulSet"]
        domain = self.stateful["spec"]["template"]["spec"]["containers"][0]["env"]
        self.namespace = next(e["value"] for e in domain
                              if e["name"] == "CLIENT_SERVICE").split(".")[1]
        return self.stateful["spec"]["replicas"]

    def install(self, values):
        self._scale(self._take(values))
        return self.run_hooks("post-install")

    def upgrade(self, values):
        """(exit status, output). A failure before the change leaves everything as it was."""
        replicas = self._take(values)
        status, before = self.run_hooks("pre-upgrade")
        if status != 0:
            return status, before
        going = self._scale(replicas)
        status, after = self.run_hooks("post-upgrade")
        for thread in going:
            thread.join()
        return status, before + after
