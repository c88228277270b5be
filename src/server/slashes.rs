//! Repeated slashes in paths. In: a request of an SDK that put its base path and ours together with a slash too many. Out:
//! the request with single ones; any other request is not touched.

use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;

/// Folds repeated slashes of the path. A middleware of the HTTP library does the same with a regular expression for every
/// request.
pub fn fold(request: &mut ServiceRequest) {
    if !request.path().contains("//") {
        return;
    }
    let mut folded = String::with_capacity(request.path().len());
    for letter in request.path().chars() {
        if letter != '/' || !folded.ends_with('/') {
            folded.push(letter);
        }
    }
    if let Some(query) = request.uri().query() {
        folded.push('?');
        folded.push_str(query);
    }
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(folded).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn only_repeated_slashes_are_folded() {
        for (path, expected) in [
            ("//api///1//envelope/?a=//", "/api/1/envelope/?a=//"),
            ("/api/1/envelope/", "/api/1/envelope/"),
            ("/", "/"),
        ] {
            let mut request = TestRequest::with_uri(path).to_srv_request();
            fold(&mut request);
            assert_eq!(request.uri().to_string(), expected);
            assert_eq!(request.match_info().unprocessed(), request.path());
        }
    }
}
