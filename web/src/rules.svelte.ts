// Whose rules say how soon: those of the UK or of the US. The numbers do not depend on it. Kept while the page is open.
import type { Profile } from './engine'

export const rules = $state<{ of: Profile }>({ of: 'uk' })
