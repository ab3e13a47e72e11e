/*
 * map.js: the countries of world-atlas on an equal-area projection, darker where more
 * visits come from.  The panel "Countries" has the same numbers as a table.
 */
import { t } from './texts.js';
import { h, label, show, condition, getReport, reportAddress } from './base.js';
import { fill, withConditions } from './draw.js';

/* ISO 3166: the number by which the atlas names a country, and its two letters */
const CODES = '004af 008al 010aq 012dz 024ao 031az 032ar 036au 040at 044bs 050bd 051am 056be 064bt 068bo 070ba 072bw 076br ' +
	'084bz 090sb 096bn 100bg 104mm 108bi 112by 116kh 120cm 124ca 140cf 144lk 148td 152cl 156cn 158tw 170co 178cg ' +
	'180cd 188cr 191hr 192cu 196cy 203cz 204bj 208dk 214do 218ec 222sv 226gq 231et 232er 233ee 238fk 242fj 246fi ' +
	'250fr 260tf 262dj 266ga 268ge 270gm 275ps 276de 288gh 300gr 304gl 320gt 324gn 328gy 332ht 340hn 348hu 352is ' +
	'356in 360id 364ir 368iq 372ie 376il 380it 384ci 388jm 392jp 398kz 400jo 404ke 408kp 410kr 414kw 417kg 418la ' +
	'422lb 426ls 428lv 430lr 434ly 440lt 442lu 450mg 454mw 458my 466ml 478mr 484mx 496mn 498md 499me 504ma 508mz ' +
	'512om 516na 524np 528nl 540nc 548vu 554nz 558ni 562ne 566ng 578no 586pk 591pa 598pg 600py 604pe 608ph 616pl ' +
	'620pt 624gw 626tl 630pr 634qa 642ro 643ru 646rw 682sa 686sn 688rs 694sl 703sk 704vn 705si 706so 710za 716zw ' +
	'724es 728ss 729sd 732eh 740sr 748sz 752se 756ch 760sy 762tj 764th 768tg 780tt 784ae 788tn 792tr 795tm 800ug ' +
	'804ua 807mk 818eg 826gb 834tz 840us 854bf 858uy 860uz 862ve 887ye 894zm';
const codes = Object.fromEntries(CODES.split(' ').map(c => [c.slice(0, 3), c.slice(3)]));
const NS = 'http://www.w3.org/2000/svg';
const WIDTH = 960, HEIGHT = 440;
let atlas = null;

const script = src => new Promise((done, failed) => document.head.append(h('script', { src, onload: done, onerror: () => failed(new Error(t('no answer'))) })));
const load = () => atlas = atlas || Promise.all([fetch('/web/lib/countries-110m.json').then(a => a.json()), script('/web/lib/topojson-client.min.js')])
	.then(([world]) => window.topojson.feature(world, world.objects.countries).features).catch(e => { atlas = null; throw e; });

/* Equal Earth (Šavrič, Patterson, Jenny 2018), degrees → the picture's units. */
function project([longitude, latitude]) {
	const m = Math.sqrt(3) / 2, theta = Math.asin(m * Math.sin(latitude * Math.PI / 180)), t2 = theta * theta, t6 = t2 * t2 * t2;
	const x = longitude * Math.PI / 180 * Math.cos(theta) / (m * (1.340264 + 3 * -0.081106 * t2 + t6 * (7 * 0.000893 + 9 * 0.003796 * t2)));
	const y = theta * (1.340264 - 0.081106 * t2 + t6 * (0.000893 + 0.003796 * t2));

	return [(WIDTH / 2 + x * 177).toFixed(1), (HEIGHT / 2 + 15 - y * 177).toFixed(1)];
}

/* A ring as a path; where it crosses the edge of the map it is lifted. */
function ring(points) {
	let path = '', before = null;

	for (const point of points) {
		path += (before === null || Math.abs(point[0] - before) > 180 ? 'M' : 'L') + project(point).join(' ');
		before = point[0];
	}
	return path;
}

const shape = geometry => (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates).map(polygon => polygon.map(ring).join('')).join('');

function svg(tag, attributes, ...children) {
	const made = document.createElementNS(NS, tag);

	for (const [name, value] of Object.entries(attributes))
		made.setAttribute(name, value);
	made.append(...children);
	return made;
}

export async function map(state, go) {
	const body = h('div', { class: 'map' }, h('p', { class: 'loading' }, t('loading')));
	const asked = { idsite: state.site, from: state.from, to: state.to, visitors: state.visitors === 'all' ? '' : state.visitors, filter: state.filter };

	fill(body, state, async () => {
		const [features, { rows }] = await Promise.all([load(), getReport('countries', Object.assign({ limit: 1000 }, asked), state.signal)]);
		const visits = new Map(rows.map(row => [row.country, row.nb_visits])), most = Math.max(...visits.values(), 1);
		const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': t('map') });

		/* not Antarctica */
		for (const feature of features.filter(f => f.id !== '010')) {
			const code = codes[feature.id], n = visits.get(code) || 0;
			const path = svg('path', { d: shape(feature.geometry), class: n ? 'land has level-' + Math.ceil(Math.sqrt(n / most) * 5) : 'land', 'data-country': code || '' },
				svg('title', {}, `${code ? label('country', code) : feature.properties.name}: ${show('nb_visits', n)}`));

			if (n && !state.isPublic)
				path.addEventListener('click', () => go({ filter: withConditions(state.filter, condition('countryCode', code)) }));
			picture.append(path);
		}
		return [picture, state.isPublic ? null : h('p', { class: 'hint' }, t('map hint'))];
	});
	return h('section', { class: 'panel wide', 'data-panel': 'map' }, h('header', null, h('h2', null, t('panel', 'map')), h('a', { class: 'csv', download: 'countries.csv', href: reportAddress('countries', Object.assign({ format: 'csv' }, asked)), 'aria-label': t('csv of', t('panel', 'map')) }, t('csv'))), body);
}
