// Answers a JSON array of simulations on stdin with one of results on stdout: node run.mjs DIRECTORY-WITH-NODE_MODULES
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const installed = createRequire(`${process.argv[2]}/package.json`)
const { runSimulation } = installed('@cloud-copilot/iam-simulate')

const answers = []
for (const simulation of JSON.parse(readFileSync(0, 'utf8'))) {
  const answer = await runSimulation(simulation, { simulationMode: 'Strict' })
  answers.push(
    answer.resultType === 'single'
      ? { result: answer.overallResult, ignored: answer.result.ignoredContextKeys }
      : { error: answer.errors ?? answer.resultType }
  )
}
process.stdout.write(JSON.stringify(answers))
