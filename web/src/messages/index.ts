// Every English text of the page, a file a room. A translation is this folder once more.
import { check } from './check'
import { common } from './common'
import { consult } from './consult'
import { evidence } from './evidence'
import { watch } from './watch'

export const messages = { common, check, consult, watch, evidence }
