/* What a page says before the script has loaded. */
window.pk = window.pk || function () { (window.pk.q = window.pk.q || []).push(arguments); };
window.pk('event', 'early', 'bird');
window.pk('user', 'jo');
window.pk('dimension', 1, 'gold');
window.pk('product', { sku: 'sku1', name: 'Film', category: ['Films', 'New'], price: 9.5 });
