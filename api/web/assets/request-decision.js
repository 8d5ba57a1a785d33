// The deciding part of a request's page. It hears the event `request` on `document`, with `{ value, tag }`, and
// shows itself in `#decision`.
