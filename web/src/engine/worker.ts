// The engine once more, for what takes longer than a frame. The first message is the compiled module; the rest are tasks.
import { Native } from './native'
import type { Reply, Task } from './engine'

let native: Native | undefined

self.onmessage = ({ data }: MessageEvent<WebAssembly.Module | Task>) => {
  if (data instanceof WebAssembly.Module) {
    native = new Native(data)
    return
  }
  const reply: Reply = { id: data.id }
  try {
    if (!native) throw new Error('the engine is not there')
    reply.value = data.call === 'text' ? native.text(data.person, data.profile, data.voice ?? 'clinician') : native.assess(data.person, data.profile)
  } catch (fault) {
    reply.fault = fault instanceof Error ? fault.message : String(fault)
  }
  self.postMessage(reply)
}
