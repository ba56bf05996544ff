{{- /*
The Deployment of one service. Takes {root, component, values, args, volumes, mounts, ports}.

One replica, and never two at once (Recreate): a service that runs twice would do its work twice, and two copies of
apply could write against each other. It loses nothing when it dies; its successor goes on within seconds.
*/}}
{{- define "setpoint.deployment" -}}
{{- $root := .root }}
{{- $values := .values }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "setpoint.name" $root }}-{{ .component }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "setpoint.labels" . | nindent 4 }}
spec:
  replicas: 1
  strategy:
    type: Recreate
  revisionHistoryLimit: 3
  selector:
    matchLabels: {{- include "setpoint.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "setpoint.podLabels" . | nindent 8 }}
        {{- with $values.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}
      annotations:
        kubectl.kubernetes.io/default-container: {{ .component }}
        {{- with $values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ include "setpoint.name" $root }}-{{ .component }}
      terminationGracePeriodSeconds: 35
      {{- include "setpoint.podSettings" (dict "values" $values "pullSecrets" $root.Values.image.pullSecrets) | nindent 6 }}
      containers:
        - name: {{ .component }}
          image: {{ include "setpoint.image" . }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args:
            - --log-level={{ $root.Values.logLevel }}
            - --http-addr=:8080
            {{- include "setpoint.natsArgs" . | nindent 12 }}
            {{- range .args }}
            - {{ . | quote }}
            {{- end }}
            {{- range $values.extraArgs }}
            - {{ . | quote }}
            {{- end }}
          {{- with $values.extraEnv }}
          env: {{- toYaml . | nindent 12 }}
          {{- end }}
          ports:
            - {name: http-metrics, containerPort: 8080}
            {{- range .ports }}
            - {{ toJson . }}
            {{- end }}
          startupProbe:
            httpGet: {path: /healthz, port: http-metrics}
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /healthz, port: http-metrics}
            periodSeconds: 15
            timeoutSeconds: 5
            failureThreshold: 4
          readinessProbe:
            httpGet: {path: /readyz, port: http-metrics}
            periodSeconds: 5
            timeoutSeconds: 5
          resources: {{- toYaml $values.resources | nindent 12 }}
          securityContext: {{- include "setpoint.containerSecurity" . | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- with include "setpoint.natsMounts" . }}{{ . | nindent 12 }}{{ end }}
            {{- range .mounts }}
            - {{ toJson . }}
            {{- end }}
      volumes:
        - {name: tmp, emptyDir: {sizeLimit: 1Gi}}
        {{- with include "setpoint.natsVolumes" . }}{{ . | nindent 8 }}{{ end }}
        {{- range .volumes }}
        - {{ toJson . }}
        {{- end }}
{{- end }}

{{- define "setpoint.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "setpoint.name" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "setpoint.labels" . | nindent 4 }}
  {{- with .values.serviceAccount.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- /* Binds a ClusterRole to a service's ServiceAccount. Takes {root, component, name, role}. */}}
{{- define "setpoint.clusterRoleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ .name }}
  labels: {{- include "setpoint.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ .role }}
subjects:
  - kind: ServiceAccount
    name: {{ include "setpoint.name" .root }}-{{ .component }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}

{{- define "setpoint.image" -}}
{{- $image := .root.Values.image }}
{{- $name := printf "%s/%s/%s" $image.registry $image.repository .component }}
{{- if .values.image.digest -}}
{{ printf "%s@%s" $name .values.image.digest | quote }}
{{- else -}}
{{ printf "%s:%s" $name ($image.tag | default .root.Chart.AppVersion) | quote }}
{{- end }}
{{- end }}

{{- /* Where and as whom a Pod runs. Takes {values, pullSecrets}. */}}
{{- define "setpoint.podSettings" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "setpoint.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end }}
