{{- /* How a service finds NATS and who it says it is. Each takes {root, component}. */}}

{{- define "setpoint.natsArgs" -}}
- --nats-url={{ include "setpoint.natsUrl" .root }}
{{- $nats := .root.Values.nats }}
{{- $external := $nats.external }}
{{- if $nats.enabled }}
- --nats-replicas={{ $nats.replicas }}
- --nats-user={{ .component }}
- --nats-password-file=/etc/setpoint/nats/password
{{- else }}
- --nats-replicas={{ $external.streamReplicas }}
{{- if $external.credentialsSecret.name }}
- --nats-credentials-file=/etc/setpoint/nats/nats.creds
{{- end }}
{{- if $external.user }}
- --nats-user={{ $external.user }}
{{- end }}
{{- if $external.passwordSecret.name }}
- --nats-password-file=/etc/setpoint/nats/password
{{- end }}
{{- if $external.caSecret.name }}
- --nats-ca-file=/etc/setpoint/nats/ca.crt
{{- end }}
{{- end }}
{{- end }}

{{- define "setpoint.natsMounts" -}}
{{- if include "setpoint.natsSources" . -}}
- {name: nats, mountPath: /etc/setpoint/nats, readOnly: true}
{{- end }}
{{- end }}

{{- define "setpoint.natsVolumes" -}}
{{- with include "setpoint.natsSources" . -}}
- name: nats
  projected:
    defaultMode: 0440
    sources: {{- . | nindent 6 }}
{{- end }}
{{- end }}

{{- define "setpoint.natsSources" -}}
{{- $nats := .root.Values.nats }}
{{- $external := $nats.external }}
{{- if $nats.enabled -}}
- secret: {name: {{ include "setpoint.natsAuthSecret" .root }}, items: [{key: {{ .component }}, path: password}]}
{{- else }}
{{- if $external.credentialsSecret.name }}
- secret: {name: {{ $external.credentialsSecret.name }}, items: [{key: {{ $external.credentialsSecret.key }}, path: nats.creds}]}
{{- end }}
{{- if $external.passwordSecret.name }}
- secret: {name: {{ $external.passwordSecret.name }}, items: [{key: {{ $external.passwordSecret.key }}, path: password}]}
{{- end }}
{{- if $external.caSecret.name }}
- secret: {name: {{ $external.caSecret.name }}, items: [{key: {{ $external.caSecret.key }}, path: ca.crt}]}
{{- end }}
{{- end }}
{{- end }}
