/*
 * The pages in a real browser: runs the tests in tests.js.
 *
 *	drive.js [--long] [--screenshots DIR] [--picture FILE] [TEST]...
 */
'use strict';

const { world, ok, start, stop } = require('./world.js');
const args = process.argv.slice(2);
const valueOf = option => args.includes(option) ? args[args.indexOf(option) + 1] : '';
const only = args.filter((a, i) => !a.startsWith('--') && !/^--(screenshots|picture)$/.test(args[i - 1]));

world.isLong = args.includes('--long');
world.shots = valueOf('--screenshots');
world.picture = valueOf('--picture');

(async () => {
	try {
		await start();
		const tests = await require('./tests.js')();

		for (const name in tests)
			if (world.picture ? name === 'picture' : !only.length || only.includes(name)) {
				const began = Date.now();

				await tests[name]().catch(e => ok(false, name + ' ran to its end', e.stack));
				console.log(`-- ${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
			}
	} catch (e) {
		ok(false, 'the tests ran', e.stderr || e.stack);
	}
	await stop();
})();
