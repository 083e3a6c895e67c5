"""Microsoft Graph: response shapes, a pure parser, and the client on msgraph-sdk."""
