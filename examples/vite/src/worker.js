import 'narrows/web/worker';
