/* Calls that are wrong, or another tracker's, among one that is right. */
window._paq = window._paq || [];
window._paq.push(function () {}, ['noSuchCall', 1], ['Plugin::method'], null, ['constructor'], ['addEcommerceItem'], ['setCookieDomain']);
window.pk = window.pk && window.pk.call ? window.pk : function () { (window.pk.q = window.pk.q || []).push(arguments); };
window.pk('product');
window.pk('order');
window.pk();
window.pk('event', 'good', 'one');
