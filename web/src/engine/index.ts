// The engine: the same C++ as everywhere, as WebAssembly. This is the contract for the rooms.
//
//   const engine = await load()           once, in App; rooms get it as a prop
//   engine.look(person, 'uk')             at once (a few ms, same thread): urgency, probabilities, causes, mechanisms, levels,
//                                         forecast; the twelve likeliest causes; without intervals (null), stages, reasons, next, changes, open_rules, comparators ([])
//   engine.questions(person)              at once: every open finding, the most informative for its burden first
//   await engine.assess(person, 'uk')     all of it, worked out in a worker: the whole report
//   engine.knowledge()                    the knowledge base; made on first use (some 100 ms), then kept
//   engine.course({cause: 'met_breast'})  how a cause unfolds: stages, times, findings by stage; a few ms
//   await engine.text(person, 'person')   the report as plain text, as `dorsalgia assess` prints it
//
// What is wrong with a person is thrown (or rejected) as EngineFault, whose message is meant for people. Nothing is stored and
// nothing leaves the page.
export * from './types'
export { load, EngineFault, type Engine } from './engine'
