/*
 * The window in which visitors are asked.
 */
'use strict';

const fs = require('fs');
const path = require('path');
const { ok, is, sleep, world, some, context, open } = require('../helpers.js');

const tests = module.exports = {};

/* ---- the window ---- */

tests.window = async () => {
	const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

	for (const [width, height, site, lang] of some(world.shots ? 4 : 1, [[360, 640, 'ask_else_nothing', 'de'], [1440, 900, 'ask_else_nothing', 'en'],
		[1440, 900, 'designed', 'en'], [360, 640, 'designed', 'en']])) {
		const where = await context({ viewport: { width, height }, bypassCSP: true });
		const page = await open(where, site, '?lang=' + lang);
		const dialog = page.getByRole('dialog');
		const what = `window, ${site}, ${width} px: `;

		await dialog.waitFor();
		await sleep(200);
		if (world.shots)
			await page.screenshot({ path: path.join(world.shots, `${site}-${width}-open.png`) });
		const check = async state => {
			await page.evaluate(axe);
			const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
			const faults = found.violations.filter(v => !/^(region|landmark-one-main|page-has-heading-one)$/.test(v.id));

			is(faults.map(v => v.id + ' ' + v.nodes.map(n => n.target).join()).join('; '), '', what + 'axe-core, ' + state);
		};

		await check('open');
		const buttons = await dialog.getByRole('button').all();
		const [refuse, agree] = await Promise.all(buttons.map(b => b.evaluate(e => {
			const { width: x, height: y } = e.getBoundingClientRect();
			const { color, backgroundColor, fontSize, fontWeight, borderColor } = getComputedStyle(e);
			return JSON.stringify([Math.round(x), Math.round(y), color, backgroundColor, fontSize, fontWeight, borderColor]);
		})));

		is(agree, refuse, what + 'agree and refuse have the same weight');
		const focused = () => page.evaluate(() => {
			const host = document.activeElement;
			return host.shadowRoot ? host.shadowRoot.activeElement.textContent || 'dialog' : host.id || host.tagName;
		});
		const passed = [];

		for (let i = 0; i < 4; i++) {
			passed.push(await focused());
			await page.keyboard.press('Tab');
		}
		ok(passed.every(f => !['next', 'out', 'file', 'play'].includes(f)), what + 'the focus stays inside', passed.join());
		await page.keyboard.press('Escape');
		is(await dialog.isVisible(), false, what + 'Escape closes it');
		await check('closed');
		if (world.shots)
			await page.screenshot({ path: path.join(world.shots, `${site}-${width}-closed.png`) });
		await page.focus('#consent');
		await page.keyboard.press('Enter');
		ok(await dialog.isVisible(), what + 'a link opens it again');
		await page.keyboard.press('Escape');
		is(await focused(), 'consent', what + 'the focus goes back');
		await page.evaluate(() => window.pk('consent'));
		ok(await dialog.isVisible(), what + "pk('consent') opens it");
		await page.keyboard.press('Tab');
		for (let i = 0; i < 3 && !/Agree|Zustimmen|Yes/.test(await focused()); i++)
			await page.keyboard.press('Tab');
		await page.keyboard.press('Enter');
		is(await page.evaluate(() => window.pk('state').decision), 'granted', what + 'the keyboard decides');
		await where.close();
	}
};
