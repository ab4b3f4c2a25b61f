import { dns } from './dns.ts'

export { dns } from './dns.ts'
export { kubeDns } from './kube-dns/kube-dns.ts'

export default dns
