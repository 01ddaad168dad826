{{- define "arthur.name" -}}
{{- printf "%s" .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{- define "arthur.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/name: arthur
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "arthur.selector" -}}
app.kubernetes.io/name: arthur
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "arthur.image" -}}
{{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}

{{- define "arthur.embedder.image" -}}
{{ printf "%s:%s" .Values.embedder.image.repository (default .Chart.AppVersion .Values.embedder.image.tag) }}
{{- end }}

{{/* Whether pods share a catalogue, which more than one of them needs. */}}
{{- define "arthur.shared" -}}
{{- if or .Values.existingSecret (hasPrefix "postgres" (default "" .Values.secretSettings.catalog)) }}yes{{ end }}
{{- end }}

{{- define "arthur.pods" -}}
{{- if .Values.autoscaling.enabled }}{{ .Values.autoscaling.maxReplicas }}{{ else }}{{ .Values.api.replicas }}{{ end }}
{{- end }}

{{/* The settings of every pod, but for secrets. */}}
{{- define "arthur.env" -}}
{{- range $name, $value := .Values.settings }}
- name: {{ printf "ARTHUR_%s" (upper $name) }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "arthur.secret" -}}
{{- if .Values.existingSecret }}{{ .Values.existingSecret }}{{ else if .Values.secretSettings }}{{ include "arthur.name" . }}-settings{{ end }}
{{- end }}

{{- define "arthur.envFrom" -}}
{{- with include "arthur.secret" . }}
envFrom:
  - secretRef:
      name: {{ . }}
{{- end }}
{{- end }}

{{- define "arthur.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "arthur.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
