{{/* The name of everything: the release's, with "pando" in it. Pods' names, and labels made of them, stay under 63. */}}
{{- define "pando.fullname" -}}
{{- if contains "pando" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-pando" (.Release.Name | trunc 34 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "pando.selectorLabels" -}}
app.kubernetes.io/name: pando
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What the servers have and the chart's jobs have not. */}}
{{- define "pando.serverLabels" -}}
{{ include "pando.selectorLabels" . }}
app.kubernetes.io/component: server
{{- end -}}

{{- define "pando.labels" -}}
{{ include "pando.selectorLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "pando.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* A Service's name as any pod resolves it. */}}
{{- define "pando.clientHost" -}}
{{ include "pando.fullname" . }}.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- end -}}
{{- define "pando.joinHost" -}}
{{ include "pando.fullname" . }}-join.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- end -}}
{{/* What follows a pod's name in its own DNS name. */}}
{{- define "pando.podDomain" -}}
{{ include "pando.fullname" . }}-peers.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- end -}}

{{- define "pando.initialCluster" -}}
{{- $members := list -}}
{{- range $id := untilStep 1 (int (add1 .Values.initialReplicas)) 1 -}}
{{- $members = append $members (printf "%d=%s-%d.%s:7401" $id (include "pando.fullname" $) $id (include "pando.podDomain" $)) -}}
{{- end -}}
{{- join "," $members -}}
{{- end -}}

{{/* The client ports of the servers that the release has after a change, by name. */}}
{{- define "pando.stayingEndpoints" -}}
{{- $endpoints := list -}}
{{- range $id := untilStep 1 (int (add1 .Values.replicas)) 1 -}}
{{- $endpoints = append $endpoints (printf "%s-%d.%s:7400" (include "pando.fullname" $) $id (include "pando.podDomain" $)) -}}
{{- end -}}
{{- join "," $endpoints -}}
{{- end -}}

{{/* A shell script as a block of text: (list . FILE INDENT). */}}
{{- define "pando.script" -}}
{{- $text := (index . 0).Files.Get (index . 1) | trim | nindent (index . 2) -}}
{{- regexReplaceAll "(?m) +$" $text "" -}}
{{- end -}}

{{- define "pando.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "pando.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What the chart's jobs have in common with one another. */}}
{{- define "pando.jobPod" -}}
restartPolicy: Never
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext: {{- include "pando.podSecurityContext" . | nindent 2 }}
{{- end -}}

{{- define "pando.jobContainer" -}}
image: {{ include "pando.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- include "pando.containerSecurityContext" . | nindent 2 }}
resources:
  requests:
    cpu: 50m
    memory: 64Mi
  limits:
    memory: 256Mi
{{- end -}}

{{/* The Secret of the servers' certificate. */}}
{{- define "pando.tlsSecret" -}}
{{ .Values.tls.existingSecret | default (printf "%s-tls" (include "pando.fullname" .)) }}
{{- end -}}

{{/* What the certificate has to be good for: a pod by its name, the Services, and a server to its own pod. */}}
{{- define "pando.tlsNames" -}}
- {{ printf "*.%s" (include "pando.podDomain" .) | quote }}
- {{ include "pando.clientHost" . }}
- {{ include "pando.fullname" . }}.{{ .Release.Namespace }}.svc
- {{ include "pando.fullname" . }}.{{ .Release.Namespace }}
- {{ include "pando.fullname" . }}
- {{ include "pando.joinHost" . }}
- localhost
{{- end -}}

{{/* What pando in a pod needs to be let in, and to administer. It shows the servers' own certificate, and every server's is good for
the Service's name. Each of the three is empty where nothing is needed. */}}
{{- define "pando.cliEnv" -}}
{{- if .Values.tls.enabled -}}
- name: PANDO_TLS_CA
  value: /etc/pando/tls/ca.crt
- name: PANDO_TLS_CERT
  value: /etc/pando/tls/tls.crt
- name: PANDO_TLS_KEY
  value: /etc/pando/tls/tls.key
- name: PANDO_TLS_SERVER_NAME
  value: {{ include "pando.clientHost" . }}
{{ end -}}
{{- if .Values.admin.existingSecret -}}
- name: PANDO_AUTH_FILE
  value: /etc/pando/admin/credentials
{{- end -}}
{{- end -}}
{{- define "pando.cliMounts" -}}
{{- if .Values.tls.enabled -}}
- name: tls
  mountPath: /etc/pando/tls
  readOnly: true
{{ end -}}
{{- if .Values.admin.existingSecret -}}
- name: admin
  mountPath: /etc/pando/admin
  readOnly: true
{{- end -}}
{{- end -}}
{{- define "pando.cliVolumes" -}}
{{- if .Values.tls.enabled -}}
- name: tls
  secret:
    secretName: {{ include "pando.tlsSecret" . }}
    defaultMode: 0440
{{ end -}}
{{- with .Values.admin.existingSecret -}}
- name: admin
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - key: credentials
        path: credentials
{{- end -}}
{{- end -}}
