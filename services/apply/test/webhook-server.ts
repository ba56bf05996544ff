import { randomBytes } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { KubeClient } from '@setpoint/kube'
import { certificateAuthority } from '@setpoint/testkit'

const LABEL = 'test.setpoint.dev/webhook'

/** What is done with objects that have the label with this value; `time-out` gets no answer, and the API server waits a second. */
export type WebhookBehaviour = 'reject' | 'hang' | 'time-out' | 'rewrite' | 'restless'

export interface WebhookServer extends AsyncDisposable {
  /** Requests that wait for `release`. */
  hanging(): number
  /** Answers what hangs, and hangs no more. */
  release(): void
}

interface Review {
  request: { uid: string; object?: { metadata: { annotations?: unknown; labels?: Record<string, string> } } }
}

/** A real mutating webhook on this machine, called by the API server for ConfigMaps of one namespace. */
export async function startWebhooks(kube: KubeClient, namespace: string): Promise<WebhookServer> {
  const authority = certificateAuthority('webhook')
  const waiting = new Set<() => void>()
  let released = false
  const server = createServer(
    authority.issue({ commonName: 'webhook', server: ['127.0.0.1'] }),
    async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Review
      const behaviour = review.request.object?.metadata.labels?.[LABEL]
      if (behaviour === 'time-out') return
      if (behaviour === 'hang' && !released) await new Promise<void>((go) => waiting.add(go))
      const answer = { uid: review.request.uid, ...answerTo(review, behaviour) }
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }),
      )
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const name = `test-${namespace}`
  const webhook = (kind: string, timeoutSeconds: number, selected: object) => ({
    name: `${kind}.test.setpoint.dev`,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    timeoutSeconds,
    failurePolicy: 'Fail',
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    objectSelector: { matchExpressions: [{ key: LABEL, operator: 'Exists' }, selected] },
    rules: [
      {
        apiGroups: [''],
        apiVersions: ['v1'],
        resources: ['configmaps'],
        operations: ['CREATE', 'UPDATE'],
      },
    ],
    clientConfig: {
      url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      caBundle: Buffer.from(authority.pem).toString('base64'),
    },
  })
  await kube.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      webhook('patient', 30, { key: LABEL, operator: 'NotIn', values: ['time-out'] }),
      webhook('hasty', 1, { key: LABEL, operator: 'In', values: ['time-out'] }),
    ],
  })
  const release = () => {
    released = true
    for (const go of waiting) go()
    waiting.clear()
  }
  return {
    hanging: () => waiting.size,
    release,
    async [Symbol.asyncDispose]() {
      release()
      await kube.delete(
        { group: 'admissionregistration.k8s.io', kind: 'MutatingWebhookConfiguration' },
        { name },
      )
      server.closeAllConnections()
      server.close()
    },
  }
}

function answerTo({ request }: Review, behaviour: string | undefined): object {
  if (behaviour === 'reject') return { allowed: false, status: { code: 403, message: 'not on a Friday' } }
  if (behaviour !== 'rewrite' && behaviour !== 'restless') return { allowed: true }
  const value = behaviour === 'rewrite' ? 'seen' : randomBytes(4).toString('hex')
  const annotations = {
    ...(request.object?.metadata.annotations as object | undefined),
    'test.setpoint.dev/seen': value,
  }
  const patch = [
    { op: 'add', path: '/metadata/annotations', value: annotations },
    { op: 'add', path: '/data/key', value: 'rewritten' },
  ]
  return {
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
  }
}
