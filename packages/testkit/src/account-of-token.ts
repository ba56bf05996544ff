/** The part of a Kubernetes client that is needed. */
interface Client {
  request(request: { method: 'POST'; path: string; body: object }): Promise<unknown>
}

/** The API server's own word whose token it is, for an audience; undefined when it is nobody's. */
export async function accountOfToken(
  kube: Client,
  token: string,
  audience: string,
): Promise<string | undefined> {
  const review = (await kube.request({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: [audience] },
    },
  })) as { status: { authenticated?: boolean; user?: { username: string } } }
  return review.status.authenticated ? review.status.user?.username : undefined
}
