import { type NatsServer, startNats } from '@setpoint/testkit'
import { find, render } from '../chart/helm.ts'
import { PASSWORDS } from '../chart/nats-server.ts'

/** The tests' own user: it may say and read everything. */
export const TEST_USER = { user: 'test', password: 'test' }

/** A nats-server that can be killed and emptied, on which each service has only the rights that the chart gives it. */
export async function startNatsOfChart(): Promise<NatsServer> {
  const objects = await render()
  const config: string = find(objects, 'ConfigMap', 'setpoint-nats').data['nats.conf']
  const rights = config.slice(config.indexOf('\nauthorization {'))
  return startNats({ config: withTestUser(withPasswords(rights)) })
}

/** In a cluster the server reads the passwords from its environment. */
function withPasswords(rights: string): string {
  return rights.replaceAll(/\$([A-Z_]+)_PASSWORD/g, (_, variable: string) => {
    const user = variable.toLowerCase().replaceAll('_', '-')
    return JSON.stringify(PASSWORDS[user] ?? '')
  })
}

function withTestUser(rights: string): string {
  return rights.replace('users: [', `users: [\n    ${JSON.stringify(TEST_USER)}`)
}
