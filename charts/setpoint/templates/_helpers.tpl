{{- define "setpoint.name" -}}
{{- .Values.nameOverride | default "setpoint" | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- /* Labels of an object. Takes {root, component}. */}}
{{- define "setpoint.labels" -}}
{{ include "setpoint.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Labels that never change, for selectors. Takes {root, component}. */}}
{{- define "setpoint.selector" -}}
app.kubernetes.io/name: {{ include "setpoint.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/part-of: setpoint
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- /* Labels of a Pod: without versions, so that an upgrade restarts only what it changes. Takes {root, component}. */}}
{{- define "setpoint.podLabels" -}}
{{ include "setpoint.selector" . }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "setpoint.sealingKeySecret" -}}
{{- .Values.sealingKey.existingSecret | default (printf "%s-sealing-key" (include "setpoint.name" .)) }}
{{- end }}

{{- define "setpoint.natsAuthSecret" -}}
{{- .Values.nats.auth.existingSecret | default (printf "%s-nats-auth" (include "setpoint.name" .)) }}
{{- end }}

{{- define "setpoint.artifactService" -}}
{{- .Values.source.artifactServiceName | default (printf "%s-source" (include "setpoint.name" .)) }}
{{- end }}

{{- define "setpoint.natsUrl" -}}
{{- if .Values.nats.enabled -}}
nats://{{ include "setpoint.name" . }}-nats.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}:4222
{{- else -}}
{{- required "nats.external.url is needed when nats.enabled is false" .Values.nats.external.url }}
{{- end }}
{{- end }}
