// Answers {documents, simulations} on stdin with a JSON array of results on stdout: node run.mjs DIRECTORY-WITH-NODE_MODULES
// In simulations, a policy is the number of its document.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const installed = createRequire(`${process.argv[2]}/package.json`)
const { runSimulation } = installed('@cloud-copilot/iam-simulate')

const questions = JSON.parse(readFileSync(0, 'utf8'))
const documents = questions.documents.map((document) => JSON.parse(document))
const named = (policies) => policies?.map(({ name, policy }) => ({ name, policy: documents[policy] }))
const levels = (listed) => listed.map((level) => ({ ...level, policies: named(level.policies) }))

const answers = []
for (const simulation of questions.simulations) {
  const answer = await runSimulation(
    {
      ...simulation,
      identityPolicies: named(simulation.identityPolicies),
      permissionBoundaryPolicies: named(simulation.permissionBoundaryPolicies),
      serviceControlPolicies: levels(simulation.serviceControlPolicies),
      resourceControlPolicies: levels(simulation.resourceControlPolicies),
      resourcePolicy: documents[simulation.resourcePolicy],
      sessionPolicy: documents[simulation.sessionPolicy]
    },
    { simulationMode: 'Strict' }
  )
  answers.push(
    answer.resultType === 'single'
      ? { result: answer.overallResult, ignored: answer.result.ignoredContextKeys }
      : { error: answer.errors ?? answer.resultType }
  )
}
process.stdout.write(JSON.stringify(answers))
