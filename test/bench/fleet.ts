/** A monorepo of N apps: each one Kustomization of 4 objects in 5 files. Paths are relative to the repository. */
export function fleetFiles(apps: number): Record<string, string> {
  const files: Record<string, string> = {}
  for (let index = 0; index < apps; index += 1) Object.assign(files, appFiles(index, 'initial'))
  return files
}

export const appName = (index: number): string => `app-${index}`

/** The one file that a one-app commit changes. */
export function appConfig(index: number, value: string): Record<string, string> {
  return { [`apps/${appName(index)}/configmap.yaml`]: configMap(appName(index), value) }
}

function appFiles(index: number, value: string): Record<string, string> {
  const name = appName(index)
  const directory = `apps/${name}`
  return {
    [`${directory}/kustomization.yaml`]: kustomization(name),
    [`${directory}/deployment.yaml`]: deployment(name),
    [`${directory}/service.yaml`]: service(name),
    [`${directory}/serviceaccount.yaml`]: serviceAccount(name),
    ...appConfig(index, value),
  }
}

const kustomization = (name: string) => `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
labels:
  - pairs: { app.kubernetes.io/name: ${name} }
resources:
  - deployment.yaml
  - service.yaml
  - serviceaccount.yaml
  - configmap.yaml
`

const deployment = (name: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 1
  selector:
    matchLabels: { app: ${name} }
  template:
    metadata:
      labels: { app: ${name} }
    spec:
      serviceAccountName: ${name}
      containers:
        - name: web
          image: registry.example/web:1.0.0
          envFrom:
            - configMapRef: { name: ${name} }
          resources:
            requests: { cpu: 10m, memory: 16Mi }
`

const service = (name: string) => `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector: { app: ${name} }
  ports:
    - port: 80
      targetPort: 8080
`

const serviceAccount = (name: string) => `apiVersion: v1
kind: ServiceAccount
metadata:
  name: ${name}
`

const configMap = (name: string, value: string) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
data:
  value: "${value}"
`
