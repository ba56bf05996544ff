{{- /* The configuration of the bundled NATS. Passwords and routes come from the environment. */}}
{{- define "setpoint.natsConfig" -}}
{{- $name := printf "%s-nats" (include "setpoint.name" .) }}
{{- $replicas := int .Values.nats.replicas }}
{{- /* What every service may ask of JetStream. None can change, delete or restore a stream. */}}
{{- $jetstream := list "$JS.API.INFO" "$JS.API.STREAM.INFO.>" "$JS.API.STREAM.NAMES" "$JS.API.STREAM.LIST" "$JS.API.STREAM.CREATE.>" "$JS.API.STREAM.MSG.GET.>" "$JS.API.DIRECT.GET.>" "$JS.API.CONSUMER.>" "$JS.ACK.>" "$JS.FC.>" }}
{{- /* What each service has to say, beside that. */}}
{{- $says := dict
  "source" (list "setpoint.artifact.>" "setpoint.event.>" "setpoint.dead-letter.>" "$O.setpoint-artifact.>")
  "kustomize-render" (list "setpoint.rendered.>" "setpoint.dead-letter.>" "$O.setpoint-rendered.>")
  "image-automation" (list "setpoint.image.>" "setpoint.reconcile.GitRepository.>" "setpoint.reconcile.ImageRepository.>" "setpoint.reconcile.ImagePolicy.>" "setpoint.event.>" "setpoint.dead-letter.>")
  "apply" (list "setpoint.outcome.>" "setpoint.event.>" "setpoint.dead-letter.>") }}
{{- /* The streams in which each may take back what it said. */}}
{{- $purges := dict
  "source" (list "SETPOINT_ARTIFACT" "OBJ_setpoint-artifact")
  "kustomize-render" (list "SETPOINT_RENDERED" "OBJ_setpoint-rendered")
  "apply" (list "SETPOINT_OUTCOME")
  "image-automation" (list "SETPOINT_IMAGE") -}}
server_name: $POD_NAME
listen: "0.0.0.0:4222"
http: "0.0.0.0:8222"

jetstream {
  store_dir: "/data"
  max_memory_store: 64MiB
  # A tenth of the volume is left to the file system.
  max_file_store: {{ mul (trimSuffix "Gi" .Values.nats.storage.size | int) 921 }}MiB
}
{{- if gt $replicas 1 }}

cluster {
  name: "{{ $name }}"
  listen: "0.0.0.0:6222"
  authorization { user: "cluster", password: $CLUSTER_PASSWORD }
  routes: [{{ range $ordinal := until $replicas }}{{ if $ordinal }}, {{ end }}$ROUTE_{{ $ordinal }}{{ end }}]
}
{{- end }}

# Each service says only what is its own to say.
authorization {
  users: [
    {{- range $service, $variable := dict "source" "SOURCE_PASSWORD" "kustomize-render" "KUSTOMIZE_RENDER_PASSWORD" "apply" "APPLY_PASSWORD" "image-automation" "IMAGE_AUTOMATION_PASSWORD" }}
    {{- $own := list }}
    {{- range get $purges $service }}{{ $own = append $own (printf "$JS.API.STREAM.PURGE.%s" .) }}{{ end }}
    {
      user: "{{ $service }}"
      password: ${{ $variable }}
      permissions: {
        publish: {{ concat (get $says $service) $jetstream $own | toRawJson }}
        subscribe: ["_INBOX.>", "setpoint.reconcile.>"]
      }
    }
    {{- end }}
  ]
}
{{- end }}
