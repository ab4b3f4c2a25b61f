import { createCipheriv, createDecipheriv } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ContinuoError, type DeepReadonly, type Random } from '@continuo/core'
import { writePrivate } from '@continuo/lib-certificates'
import type { Secret } from '@continuo/workload'
import { tokenNamespace } from './bootstrap-token.ts'

/** The secret in which the keys of a control plane wait, encrypted, for those that join it. */
export const controlPlaneSecret = 'continuo-control-plane-keys'

const authorityFile = 'pki/ca.crt'
/** What replicas of a control plane share, below the data directory of each. */
const sharedFiles = [authorityFile, 'pki/ca.key', 'service-account-tokens/keys.json'] as const

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

const fieldOf = (file: string): string => file.replaceAll('/', '.')

export const newCertificateKey = (random: Random): string => Buffer.from(random.bytes(keyBytes)).toString('hex')

/** Throws `JOIN_CERTIFICATE_KEY`. */
function keyOf(text: string): Buffer {
  const key = Buffer.from(/^[0-9a-f]{64}$/.test(text) ? text : '', 'hex')
  if (key.length !== keyBytes) throw wrongKey()
  return key
}

const wrongKey = (cause?: unknown): ContinuoError =>
  new ContinuoError('JOIN_CERTIFICATE_KEY', 'the certificate key does not open the keys of this control plane', {
    hint: 'take the whole line that the latest continuo token create --control-plane printed',
    cause,
  })

/** Reads what is shared and encrypts it (AES-256-GCM, the name of the file as associated data). Throws `JOIN_NO_KEYS`. */
export async function sealKeys(dataDir: string, certificateKey: string, random: Random): Promise<Secret> {
  const key = keyOf(certificateKey)
  const data: Record<string, string> = {}
  for (const file of sharedFiles) {
    const text = await readFile(join(dataDir, file)).catch((cause: Error) => {
      throw new ContinuoError('JOIN_NO_KEYS', `the key ${file} of the control plane cannot be read in ${dataDir}: ${cause.message}`, {
        hint: 'name the data directory of a running control plane with --data-dir',
        cause,
      })
    })
    const nonce = Buffer.from(random.bytes(nonceBytes))
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(file))
    data[fieldOf(file)] = Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64')
  }
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: tokenNamespace, name: controlPlaneSecret }, type: 'Opaque', data }
}

/** An authority that is lost cannot be made again, so one of another cluster is never written over. */
async function refuseOtherCluster(dataDir: string, authority: string): Promise<void> {
  const kept = await readFile(join(dataDir, authorityFile), 'utf8').catch(() => undefined)
  if (kept === undefined || kept === authority) return
  throw new ContinuoError('JOIN_OTHER_CLUSTER', `the data directory ${dataDir} holds the keys of another cluster`, {
    hint: 'name an empty directory with --data-dir',
  })
}

/** Writes them below another data directory, for its owner alone. Throws `JOIN_CERTIFICATE_KEY` and `JOIN_OTHER_CLUSTER`, and writes nothing then. */
export async function openKeys(secret: DeepReadonly<Secret>, certificateKey: string, dataDir: string): Promise<void> {
  const key = keyOf(certificateKey)
  const texts = sharedFiles.map((file) => {
    try {
      const sealed = Buffer.from(secret.data?.[fieldOf(file)] ?? '', 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes)).setAAD(Buffer.from(file))
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString('utf8')
    } catch (cause) {
      throw wrongKey(cause)
    }
  })
  await refuseOtherCluster(dataDir, texts[0] as string)
  for (const [index, file] of sharedFiles.entries()) {
    const path = join(dataDir, file)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writePrivate(path, texts[index] as string)
  }
}
