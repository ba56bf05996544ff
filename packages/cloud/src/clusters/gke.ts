import type { CloudLogins } from '../cloud-logins.ts'
import { ask } from './ask.ts'
import { type ClusterEndpoints, type ClusterProvider, partsOf, pemOf, serverOf } from './cluster.ts'

const NAME = /^(projects\/[\w:.-]{1,100}\/locations\/[a-z0-9-]{1,40}\/clusters\/[a-z0-9-]{1,60})$/
const EXAMPLE = 'projects/PROJECT/locations/europe-west1/clusters/main'

/** Clusters of Google Kubernetes Engine. */
export function gke(logins: CloudLogins, { gcp }: Pick<ClusterEndpoints, 'gcp'>): ClusterProvider {
  return {
    describe: async (cluster, signal) => {
      const [name = ''] = partsOf(cluster, NAME, EXAMPLE)
      const { token } = await logins.gcp({ account: cluster.account, signal })
      const what = `the description of GKE cluster ${name}`
      const headers = { authorization: `Bearer ${token}` }
      const answer = (await ask(what, `${gcp}/v1/${name}`, { headers, signal })) as GkeAnswer
      const server = answer.endpoint?.includes('://') ? answer.endpoint : `https://${answer.endpoint ?? ''}`
      return serverOf(cluster, [{ server, ca: pemOf(answer.masterAuth?.clusterCaCertificate) }])
    },
    token: (cluster, signal) => logins.gcp({ account: cluster.account, signal }),
  }
}

interface GkeAnswer {
  endpoint?: string
  masterAuth?: { clusterCaCertificate?: string }
}
