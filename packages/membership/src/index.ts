export { Fence, LeaseLapsed, unfenced } from './fence.ts'
export { joinReplicas, type Membership, type MembershipOptions, soleMember, type Work } from './membership.ts'
export { ownerOf } from './rendezvous.ts'
export { Share, type ShareOptions } from './share.ts'
