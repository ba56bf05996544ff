import type { KubeClient, KubeClientOptions } from './client-types.ts'

/** Reads the kubeconfig and makes a client; no request is sent yet. */
export async function connectKube(_options: KubeClientOptions = {}): Promise<KubeClient> {
  throw new Error('not built yet')
}

/** A client from the text of a kubeconfig, such as one kept in a Secret. */
export async function fromKubeConfigText(
  _text: string,
  _options: KubeClientOptions = {},
): Promise<KubeClient> {
  throw new Error('not built yet')
}
