{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- define "stofka.name" -}}
{{- if contains "stofka" .Release.Name }}{{ .Release.Name | trunc 50 }}{{ else }}{{ printf "%s-stofka" .Release.Name | trunc 50 }}{{ end -}}
{{- end -}}

{{- define "stofka.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag }}{{ end }}
{{- end -}}

{{- define "stofka.selector" -}}
app.kubernetes.io/name: stofka
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{- define "stofka.labels" -}}
{{ include "stofka.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- /* The role that people reach. */ -}}
{{- define "stofka.front" -}}
{{ if eq .Values.mode "embedded" }}run{{ else }}serve{{ end }}
{{- end -}}

{{- /* Settings as environment; secrets by reference only. */ -}}
{{- define "stofka.environment" -}}
{{- $v := .root.Values -}}
- {name: STOFKA_EXCHANGE_URL, value: {{ $v.exchange.url | quote }}}
- {name: STOFKA_EXCHANGE_CODES, value: {{ join "," $v.exchange.codes | quote }}}
- {name: STOFKA_EXCHANGE_REST_PER_SECOND, value: {{ $v.exchange.restPerSecond | quote }}}
- {name: STOFKA_SERVE_LISTEN, value: "0.0.0.0:8080"}
- {name: STOFKA_SERVE_ADMIN, value: "0.0.0.0:8091"}
- {name: STOFKA_SERVE_MARKET_METRICS, value: {{ $v.monitoring.marketMetrics | quote }}}
- {name: STOFKA_LOG_LEVEL, value: {{ $v.logLevel | quote }}}
{{- range $key, $value := $v.settings }}
- {name: {{ printf "STOFKA_%s" ($key | upper | replace "." "_") }}, value: {{ $value | quote }}}
{{- end }}
{{- if eq .role "run" }}
- {name: STOFKA_STORE_DATA, value: /data}
{{- else }}
- {name: STOFKA_BUS_URL, value: {{ printf "kafka:%s" $v.kafka.bootstrap | quote }}}
- {name: STOFKA_BUS_PARTITIONS, value: {{ $v.kafka.partitions | quote }}}
- {name: STOFKA_BUS_REPLICATION, value: {{ $v.kafka.replication | quote }}}
{{- with $v.kafka.optionsSecret }}{{ if .name }}
- name: STOFKA_BUS_OPTIONS
  valueFrom: {secretKeyRef: {name: {{ .name }}, key: {{ .key }}}}
{{- end }}{{ end }}
{{- if eq .role "collect" }}
- name: STOFKA_COLLECT_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- else }}
- {name: STOFKA_STORE_URL, value: "postgres:host={{ $v.postgres.host }} port={{ $v.postgres.port }} dbname={{ $v.postgres.database }} sslmode={{ $v.postgres.sslmode }}{{ if $v.postgres.caSecret }} sslrootcert=/etc/stofka/postgres/ca.crt{{ end }} application_name=stofka-{{ .role }}"}
- name: PGUSER
  valueFrom: {secretKeyRef: {name: {{ $v.postgres.secret }}, key: username}}
- name: PGPASSWORD
  valueFrom: {secretKeyRef: {name: {{ $v.postgres.secret }}, key: password}}
{{- if $v.redis.address }}
- {name: STOFKA_CACHE_URL, value: {{ printf "redis:%s" $v.redis.address | quote }}}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "stofka.container" -}}
- name: stofka
  image: {{ include "stofka.image" .root | quote }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: [{{ .role }}]
  env:
    {{- include "stofka.environment" . | nindent 4 }}
  ports:
    {{- if or (eq .role "run") (eq .role "serve") }}
    - {name: http, containerPort: 8080}
    {{- end }}
    - {name: admin, containerPort: 8091}
  {{- $port := ternary "http" "admin" (or (eq .role "run") (eq .role "serve")) }}
  # A start may read events back in; after that it answers at once or is stuck.
  startupProbe:
    httpGet: {path: /healthz, port: {{ $port }}}
    periodSeconds: 2
    failureThreshold: 60
  livenessProbe:
    httpGet: {path: /healthz, port: {{ $port }}}
    periodSeconds: 10
    timeoutSeconds: 3
    failureThreshold: 6
  readinessProbe:
    httpGet: {path: /readyz, port: {{ $port }}}
    periodSeconds: 5
    timeoutSeconds: 3
    failureThreshold: 2
  resources:
    {{- toYaml .resources | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: [ALL]}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    {{- if eq .role "run" }}
    - {name: data, mountPath: /data}
    {{- else }}
    {{- if .root.Values.kafka.caSecret }}
    - {name: kafka-ca, mountPath: /etc/stofka/kafka, readOnly: true}
    {{- end }}
    {{- if and .root.Values.postgres.caSecret (ne .role "collect") }}
    - {name: postgres-ca, mountPath: /etc/stofka/postgres, readOnly: true}
    {{- end }}
    {{- end }}
{{- end -}}

{{- define "stofka.pod" -}}
serviceAccountName: {{ include "stofka.name" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 45
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - {name: {{ . }}}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
affinity:
  podAntiAffinity:
    {{- if eq .root.Values.antiAffinity "required" }}
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "stofka.selector" . | nindent 12 }}
    {{- else }}
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "stofka.selector" . | nindent 14 }}
    {{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "stofka.selector" . | nindent 8 }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  {{- include "stofka.container" . | nindent 2 }}
volumes:
  - {name: tmp, emptyDir: {sizeLimit: 64Mi}}
  {{- if ne .role "run" }}
  {{- with .root.Values.kafka.caSecret }}
  - {name: kafka-ca, secret: {secretName: {{ . }}}}
  {{- end }}
  {{- if and .root.Values.postgres.caSecret (ne .role "collect") }}
  - {name: postgres-ca, secret: {secretName: {{ .root.Values.postgres.caSecret }}}}
  {{- end }}
  {{- end }}
{{- end -}}
