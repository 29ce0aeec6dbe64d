"""Any REST system, taught by a profile: endpoints, sign-in, pages, changes, writes, webhooks as data.

The door is `connect` in `connector`; the settings are `RestConfig` in `config`; what a profile may say stands in
`declared`, the profiles that come along in `profiles/`. May import contract, model, errors and connectors._http.
"""
