export const common = {
  name: 'Dorsalgia',
  rooms: { check: 'Check', consult: 'Consult', watch: 'Watch', evidence: 'Evidence' },
  loading: 'Starting the engine …',
  failed: {
    title: 'The calculator cannot start',
    webassembly: 'WebAssembly is switched off in this browser, and without it nothing can be worked out here. Switch it on, or open the page in another browser.',
    other: 'Its file could not be loaded. Try again in a moment; if this page is a copy of yours, make sure that all of its files lie together.',
    still: 'The emergency questions on this page still hold. If the pain grows, wakes you at night, or you have ever had cancer, see a doctor without waiting for this page.',
    again: 'Try again',
  },
  rulesOf: { title: 'Rules of', uk: 'United Kingdom', us: 'United States' },
  model: (version: string, hash: string) => `Dorsalgia ${version}, knowledge and model ${hash}.`,
  gate: { title: 'Emergency signs', none: 'none, you said', cancer: 'cancer in the past', change: 'change' },
}
