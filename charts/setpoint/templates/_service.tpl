{{- /*
The Deployment of one service. Takes {root, component, values, args, volumes, mounts, ports}.

Replicas share the work by Leases (docs/decisions): never two on one object at once, a new Pod takes its share, and one
that stops hands its own over. A Pod that keeps a volume to itself is replaced, not rolled.
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
  replicas: {{ $values.replicas }}
  strategy:
    {{- if .recreate }}
    type: Recreate
    {{- else }}
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
    {{- end }}
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
            {{- with $root.Values.otlpEndpoint }}
            - --otlp-endpoint={{ . }}
            {{- end }}
            - --http-addr=:8080
            - --lease-namespace={{ $root.Release.Namespace }}
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

{{- /* What a service needs to share its work: Leases in its own namespace. Takes {root, component}. */}}
{{- define "setpoint.leaseRole" -}}
{{- $name := printf "%s-%s-leases" (include "setpoint.name" .root) .component }}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "setpoint.labels" . | nindent 4 }}
rules:
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [get, list, watch, create, patch, update, delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "setpoint.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "setpoint.name" .root }}-{{ .component }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}

{{- /* One Pod at a time goes when nodes are drained. Takes {root, component, values}. */}}
{{- define "setpoint.disruptionBudget" -}}
{{- if gt (int .values.replicas) 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "setpoint.name" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "setpoint.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "setpoint.selector" . | nindent 6 }}
{{- end }}
{{- end }}
