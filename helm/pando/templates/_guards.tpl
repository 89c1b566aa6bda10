{{/* What the schema cannot say. Each message says what to do. */}}
{{- define "pando.guards" -}}
{{- if lt (int .Values.replicas) (int .Values.initialReplicas) -}}
{{- fail (printf "replicas (%v) is less than initialReplicas (%v): set initialReplicas to %v too" .Values.replicas .Values.initialReplicas .Values.replicas) -}}
{{- end -}}
{{- if and .Values.tls.existingSecret .Values.tls.certManager.enabled -}}
{{- fail "tls.existingSecret and tls.certManager.enabled: one of them makes the certificate, not both" -}}
{{- end -}}
{{- if and .Values.admin.identities (not .Values.admin.existingSecret) -}}
{{- fail "admin.identities without admin.existingSecret: nobody else may administer then, not even the chart's jobs: give them a Secret" -}}
{{- end -}}
{{- $running := lookup "apps/v1" "StatefulSet" .Release.Namespace (include "pando.fullname" .) -}}
{{- if $running -}}
{{- $formed := get ($running.metadata.annotations | default dict) "pando/initial-replicas" -}}
{{- if and $formed (gt (int .Values.initialReplicas) (int $formed)) -}}
{{- fail (printf "initialReplicas was %v when the ensemble was formed and cannot become %v: raise replicas alone, and the new servers join" $formed .Values.initialReplicas) -}}
{{- end -}}
{{- end -}}
{{- end -}}
